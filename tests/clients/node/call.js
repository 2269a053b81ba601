// Calls the client's methods one after the other: [url, key, secret, [[method, ...arguments], ...]]
// come as JSON on standard input, since arguments of a process can be seen by others; what each
// answered goes as a JSON array to standard output.
"use strict";

const { readFileSync } = require("node:fs");
const Client = require("3commas-api-node");

async function main() {
  const [url, apiKey, apiSecret, calls] = JSON.parse(readFileSync(0, "utf8"));
  const client = new Client({ url, apiKey, apiSecret });
  const answers = [];
  for (const [method, ...given] of calls) {
    answers.push(await client[method](...given));
  }
  process.stdout.write(JSON.stringify(answers));
}

main();
