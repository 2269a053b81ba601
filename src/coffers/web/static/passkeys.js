// Passkeys: a form that asks for one has the browser make or show it, and sends what it answers.

const CANCELLED = "Nothing was done: it was cancelled, or took too long.";
const THERE = "There is a passkey of yours on this device already.";
const ELSEWHERE = "This address is not the one that passkeys are for.";
const FAILED = "The server did not answer as it should; open the page again.";

const bytes = (text) =>
  Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (each) => each.charCodeAt(0));

const text = (buffer) =>
  btoa(String.fromCharCode(...new Uint8Array(buffer))).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");

const described = (list) => (list ?? []).map((each) => ({ ...each, id: bytes(each.id) }));

async function made(options) {
  const user = { ...options.user, id: bytes(options.user.id) };
  const challenge = bytes(options.challenge);
  const excludeCredentials = described(options.excludeCredentials);
  const publicKey = { ...options, user, challenge, excludeCredentials };
  const found = await navigator.credentials.create({ publicKey });
  return {
    attestationObject: text(found.response.attestationObject),
    transports: found.response.getTransports?.() ?? [],
    ...whole(found),
  };
}

async function shown(options) {
  const challenge = bytes(options.challenge);
  const publicKey = { ...options, challenge, allowCredentials: described(options.allowCredentials) };
  const found = await navigator.credentials.get({ publicKey });
  const handle = found.response.userHandle;
  return {
    authenticatorData: text(found.response.authenticatorData),
    signature: text(found.response.signature),
    userHandle: handle?.byteLength ? text(handle) : null,
    ...whole(found),
  };
}

function whole(found) {
  return { credential: found, clientDataJSON: text(found.response.clientDataJSON) };
}

function written({ credential, ...response }) {
  return JSON.stringify({ id: credential.id, rawId: text(credential.rawId), type: credential.type, response });
}

async function options(form) {
  const body = new URLSearchParams(new FormData(form));
  const answer = await fetch(form.dataset.options, { method: "POST", body, redirect: "error" });
  if (answer.ok) return answer.json();
  const told = answer.headers.get("content-type") === "application/json" ? await answer.json() : {};
  throw new Error(told.why ?? FAILED);
}

function why(error) {
  const told = { NotAllowedError: CANCELLED, InvalidStateError: THERE, SecurityError: ELSEWHERE, TypeError: FAILED };
  return told[error.name] ?? error.message;
}

async function asked(event) {
  event.preventDefault();
  const form = event.target;
  const fault = form.querySelector(".fault");
  const button = form.querySelector("button");
  fault.hidden = true;
  button.disabled = true;
  try {
    const ceremony = form.dataset.passkey === "make" ? made : shown;
    form.elements.answer.value = written(await ceremony(await options(form)));
    form.submit();
  } catch (error) {
    fault.textContent = why(error);
    fault.hidden = false;
  } finally {
    button.disabled = false;
  }
}

if (window.PublicKeyCredential) {
  for (const form of document.querySelectorAll("form[data-passkey]")) {
    form.addEventListener("submit", asked);
    form.hidden = false;
  }
  for (const each of document.querySelectorAll(".without-passkeys")) each.hidden = true;
}
