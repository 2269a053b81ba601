// Signs the call of the form in the browser and sends it to this server. What is typed as secret is
// in no field that a form sends, and goes nowhere but into the signature.

import { Fault, contentType, curlCommand, drafted, pretty, signedByKey, signedBySecret } from "./signing.js";

const LONGEST = 400_000;
const PATIENCE = 15_000;
const TELLING = /^(x-|etag$|link$|retry-after$|content-type$|content-disposition$|allow$|idempotency)/;

const form = document.getElementById("call");
const fields = form.elements;
const place = (id) => document.getElementById(id);
const calls = [...document.querySelectorAll("#paths option")];
const [secret, pem] = [place("secret"), place("pem")];
const skew = Number(document.body.querySelector("[data-server-now]").dataset.serverNow) - Date.now();
let turn = 0;

const token = () => fields.token.selectedOptions[0]?.dataset ?? {};
const stampNow = () => (token().timestamp ? String(Math.floor((Date.now() + skew) / 1000)) : "");

function tell(field, message) {
  place("fault").textContent = message ? `${field}: ${message}.` : "";
}

// The draft of the form, or null with the fault told.
function draft() {
  try {
    const { method, path, query, body } = fields;
    return drafted(method.value, path.value, query.value, body.disabled ? "" : body.value);
  } catch (fault) {
    if (!(fault instanceof Fault)) throw fault;
    tell(fault.field === "path" ? "Path" : "Body", fault.message);
    return null;
  }
}

// What the call that is typed takes, where it is one of the list; its method comes with its path.
function follow(event) {
  if (event.target !== fields.path && event.target !== fields.method) return;
  const found = calls.filter((call) => call.value === fields.path.value);
  const one = found.find((call) => call.dataset.method === fields.method.value) ?? found[0];
  if (one && event.target === fields.path) fields.method.value = one.dataset.method;
  const takes = one?.dataset.method === fields.method.value && one.dataset.takes;
  place("query-told").textContent = takes ? `the call takes: ${takes}` : "such as page=1&per_page=10";
}

async function signed(call) {
  const stamp = stampNow();
  const isHmac = token().kind === "hmac";
  const given = isHmac ? secret.value.trim() : pem.value;
  if (!given.trim()) return { stamp, headers: null };
  const sign = isHmac ? signedBySecret : signedByKey;
  const headers = { Apikey: token().key, Signature: await sign(given, stamp + call.text) };
  if (stamp) headers.Timestamp = stamp;
  return { stamp, headers };
}

function showParts(call, stamp) {
  const list = place("parts");
  const parts = stamp ? [{ name: "timestamp", text: stamp }, ...call.parts] : call.parts;
  list.replaceChildren(
    ...parts.map(({ name, text }) => {
      const row = document.createElement("li");
      const [label, value] = [document.createElement("span"), document.createElement("code")];
      label.textContent = name;
      value.textContent = text;
      row.append(label, " ", value);
      return row;
    }),
  );
  place("sent").textContent = `${call.method} ${call.target}`;
  place("text").textContent = stamp + call.text;
}

async function draw() {
  const mine = ++turn;
  const isHmac = token().kind !== "rsa";
  place("by-secret").hidden = !isHmac;
  place("by-key").hidden = isHmac;
  fields.body.disabled = ["GET", "HEAD"].includes(fields.method.value);
  const changes = !fields.body.disabled;
  place("changes").hidden = !changes;
  place("send").classList.toggle("danger", changes);
  place("send").disabled = true;
  tell();
  const call = draft();
  place("steps").hidden = !call;
  if (!call) return;
  let found = { stamp: stampNow(), headers: null };
  try {
    found = await signed(call);
  } catch (fault) {
    if (!(fault instanceof Fault)) throw fault;
    tell(isHmac ? "Secret" : "Private key", fault.message);
  }
  if (mine !== turn) return;
  showParts(call, found.stamp);
  place("made").hidden = !found.headers;
  place("send").disabled = !found.headers;
  if (!found.headers) return;
  place("signature").textContent = found.headers.Signature;
  const lines = Object.entries(found.headers).map(([name, value]) => `${name}: ${value}`);
  place("headers").textContent = lines.join("\n");
  place("curl").textContent = curlCommand(form.dataset.base, call, found.headers);
}

async function send() {
  const call = draft();
  if (!call) return;
  const { headers } = await signed(call);
  const ending = new AbortController();
  const timer = setTimeout(() => ending.abort(), PATIENCE);
  const options = {
    method: call.method,
    headers: call.body ? { ...headers, "Content-Type": contentType(call.body) } : headers,
    body: call.body || undefined,
    credentials: "omit",
    cache: "no-store",
    redirect: "error",
    signal: ending.signal,
  };
  place("send").disabled = true;
  place("answer").hidden = false;
  place("status").textContent = "Sent; waiting for the answer.";
  place("answer-headers").textContent = place("answer-body").textContent = "";
  const began = performance.now();
  try {
    const answer = await fetch(call.target, options);
    const [text, ending] = await read(answer);
    const took = Math.round(performance.now() - began);
    place("status").textContent = `${answer.status} ${answer.statusText}, ${took} ms${ending}`;
    place("status").className = answer.ok ? "up" : "down";
    const telling = [...answer.headers].filter(([name]) => TELLING.test(name));
    place("answer-headers").textContent = telling.map((each) => each.join(": ")).join("\n");
    const isJson = answer.headers.get("content-type")?.includes("json");
    place("answer-body").textContent = text ? (isJson ? pretty(text) : text) : "(no body)";
  } catch (error) {
    place("status").className = "down";
    place("status").textContent = ending.signal.aborted
      ? "No answer within 15 seconds."
      : `It could not be sent: ${error.message}`;
  } finally {
    clearTimeout(timer);
    draw();
  }
}

// What came of a body, with what to say where it is not all of it: streams never end by themselves.
async function read(answer) {
  if (!answer.body) return ["", ""];
  const [reader, decoder] = [answer.body.getReader(), new TextDecoder()];
  let text = "";
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return [text + decoder.decode(), ""];
      text += decoder.decode(value, { stream: true });
      if (text.length > LONGEST) {
        await reader.cancel();
        return [text, "; only the beginning is shown"];
      }
    }
  } catch {
    return [text, "; ended after 15 seconds"];
  }
}

if (globalThis.crypto?.subtle) {
  for (const each of document.querySelectorAll(".scripted")) each.hidden = false;
  for (const each of document.querySelectorAll(".unscripted")) each.hidden = true;
  form.addEventListener("input", follow);
  form.addEventListener("input", draw);
  for (const each of [secret, pem]) each.addEventListener("input", draw);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    draw();
  });
  place("send").addEventListener("click", send);
  if (fields.token.value) draw();
} else {
  // Browsers sign on pages that came by TLS, or from this machine, alone.
  place("insecure").hidden = false;
}
