// What is signed of a call, and the signature. Nothing here sends anything; docs/api.md, "Signing",
// tells the rules, and a test holds this to what the server accepts.

export const PREFIX = "/public/api/";

// What the address of a request may hold in its query as it is; browsers escape the rest.
const ESCAPED = /[^!$-&(-;=?-~]/u;
const PATH = /^[!$-;=@-[\]_a-z|~]+$/;
const DOTS = /\/(?:\.|%2e){1,2}(?:\/|$)/i;
const utf8 = new TextEncoder();

export class Fault extends Error {
  constructor(field, message) {
    super(message);
    this.field = field;
  }
}

// A call as it is sent, with the parts of the text to sign. Throws a Fault.
export function drafted(method, path, query, body) {
  path = path.trim();
  check(method, path, body);
  const text = query.trim();
  const sent = escaped(text.startsWith("?") ? text.slice(1) : text);
  if (body && !canBeSigned(sent, body)) {
    throw new Fault("body", "is neither a JSON object nor a form whose names are not in the query");
  }
  const target = sent ? `${path}?${sent}` : path;
  const parts = [{ name: "path", text: path }];
  if (sent) parts.push({ name: "query", text: `?${sent}` });
  if (body) parts.push({ name: "body", text: `${sent ? "&" : "?"}${body}` });
  return { method, target, body, parts, text: parts.map((part) => part.text).join("") };
}

function check(method, path, body) {
  if (!path.startsWith(PREFIX)) {
    throw new Fault("path", `must begin with ${PREFIX}, which is signed too`);
  }
  if (path.includes("{")) {
    const named = path.slice(path.indexOf("{")).split("/")[0];
    throw new Fault("path", `put a value in the place of ${named}`);
  }
  if (!PATH.test(path) || DOTS.test(path)) {
    throw new Fault("path", "must be as it is sent: ASCII, others in %XX, no query, no dots");
  }
  if (body && (method === "GET" || method === "HEAD")) {
    throw new Fault("body", `must be empty: browsers send none with ${method}`);
  }
}

// A form's text equals that of a query, so that none may hold what could be taken for the other.
function canBeSigned(query, body) {
  if (/^\{\s*"/.test(body)) return true;
  const names = new Set(new URLSearchParams(query).keys());
  return !body.includes('"') && ![...new URLSearchParams(body).keys()].some((name) => names.has(name));
}

function escaped(query) {
  let sent = "";
  for (const sign of query) {
    sent += ESCAPED.test(sign) ? [...utf8.encode(sign)].map(inPercent).join("") : sign;
  }
  return sent;
}

const inPercent = (byte) => `%${byte.toString(16).toUpperCase().padStart(2, "0")}`;

// HMAC-SHA256 under a secret, in hex.
export async function signedBySecret(secret, text) {
  const how = { name: "HMAC", hash: "SHA-256" };
  const key = await crypto.subtle.importKey("raw", utf8.encode(secret), how, false, ["sign"]);
  const code = new Uint8Array(await crypto.subtle.sign("HMAC", key, utf8.encode(text)));
  return [...code].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

// RSASSA-PKCS1-v1_5 with SHA-256 by a private key in PEM, in base64.
export async function signedByKey(pem, text) {
  const how = { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" };
  const der = pkcs8(pem);
  let key;
  try {
    key = await crypto.subtle.importKey("pkcs8", der, how, false, ["sign"]);
  } catch {
    throw new Fault("secret", "is no RSA private key in PEM that can be read");
  }
  const signature = new Uint8Array(await crypto.subtle.sign(how.name, key, utf8.encode(text)));
  return btoa(String.fromCharCode(...signature));
}

function pkcs8(pem) {
  const found = /-----BEGIN (RSA |ENCRYPTED |)PRIVATE KEY-----([^-]*)-----END/.exec(pem);
  if (!found) throw new Fault("secret", "is no private key in PEM");
  if (found[1] === "ENCRYPTED " || found[2].includes("ENCRYPTED")) {
    throw new Fault("secret", "is locked by a password: unlock it with openssl pkey first");
  }
  let der;
  try {
    der = Uint8Array.from(atob(found[2].replace(/\s/g, "")), (sign) => sign.charCodeAt(0));
  } catch {
    throw new Fault("secret", "is no private key in PEM");
  }
  return found[1] === "RSA " ? wrapped(der) : der;
}

// A key of PKCS #1 within the envelope of PKCS #8 that browsers take (RFC 5208, RFC 8017).
const VERSION = [0x02, 0x01, 0x00];
const RSA_ENCRYPTION = [
  0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00,
];

function wrapped(der) {
  return new Uint8Array(tagged(0x30, [...VERSION, ...RSA_ENCRYPTION, ...tagged(0x04, [...der])]));
}

function tagged(tag, content) {
  const { length } = content;
  if (length < 0x80) return [tag, length, ...content];
  const bytes = [];
  for (let rest = length; rest > 0; rest >>= 8) bytes.unshift(rest & 0xff);
  return [tag, 0x80 | bytes.length, ...bytes, ...content];
}

// What a body is to be called when it is sent.
export function contentType(body) {
  return body.trimStart().startsWith("{") ? "application/json" : "application/x-www-form-urlencoded";
}

// A curl command that a shell takes as it is.
export function curlCommand(base, call, headers) {
  const words = ["curl", "-sSg"];
  if (call.method === "HEAD") words.push("--head");
  else if (call.method !== "GET" || call.body) words.push("-X", call.method);
  for (const [name, value] of Object.entries(headers)) words.push("-H", `${name}: ${value}`);
  if (call.body) {
    if (call.body.trimStart().startsWith("{")) words.push("-H", "Content-Type: application/json");
    words.push("--data-raw", call.body);
  }
  return [...words, base.replace(/\/+$/, "") + call.target].map(quoted).join(" ");
}

function quoted(word) {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'"'"'`)}'`;
}

// JSON with a line for each value. Token by token, so that every digit stays as it came.
export function pretty(text) {
  try {
    JSON.parse(text);
  } catch {
    return text;
  }
  const tokens = text.match(/"(?:[^"\\]|\\.)*"|[{}[\]:,]|[^\s{}[\]:,"]+/g) ?? [];
  let shown = "";
  let depth = 0;
  const line = () => `\n${"  ".repeat(depth)}`;
  tokens.forEach((token, at) => {
    const isEmpty = (token === "{" && tokens[at + 1] === "}") || (token === "[" && tokens[at + 1] === "]");
    const endsEmpty = (token === "}" && tokens[at - 1] === "{") || (token === "]" && tokens[at - 1] === "[");
    if (token === "{" || token === "[") {
      depth += 1;
      shown += isEmpty ? token : token + line();
    } else if (token === "}" || token === "]") {
      depth -= 1;
      shown += endsEmpty ? token : line() + token;
    } else if (token === ",") shown += `,${line()}`;
    else if (token === ":") shown += ": ";
    else shown += token;
  });
  return shown;
}
