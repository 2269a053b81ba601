// Has the account read now and tells how far that has come; the page then takes over what differs.
// Without it the form is sent, and the server waits for the reading.
import { become } from "./morph.js";

const LOOK_EVERY = 500;
const LONGEST = 130_000;

const form = document.querySelector("form[data-refresh]");
const told = document.getElementById("refreshed");

function show(text, kind) {
  told.textContent = text;
  told.className = kind ? `look ${kind}` : "look";
}

const later = (wait) => new Promise((done) => setTimeout(done, wait));

async function json(address, options) {
  const answer = await fetch(address, { cache: "no-store", ...options });
  // Signed out: the page itself leads to the sign-in, and back.
  if (answer.redirected) location.reload();
  const isJson = answer.headers.get("content-type")?.startsWith("application/json");
  const found = isJson ? await answer.json() : {};
  // A refusal of ours is told in the same form; whatever else it is, is no answer.
  if (!answer.ok && !found.is_over) throw new Error(String(answer.status));
  return found;
}

async function follow() {
  const body = new URLSearchParams(new FormData(form));
  body.set("follow", "1");
  const began = Date.now();
  const begun = await json(form.action, { method: "POST", body });
  if (begun.is_over) return begun;
  while (Date.now() - began < LONGEST) {
    const now = await json(begun.follow);
    if (now.is_over) return now;
    const seconds = Math.round((Date.now() - began) / 1000);
    show(seconds > 1 ? `${now.told} ${seconds} s` : now.told);
    await later(LOOK_EVERY);
  }
  return { is_good: false, told: "It takes long, and goes on; look again in a while." };
}

async function takeOver() {
  const answer = await fetch(location.pathname + location.search, { cache: "no-store" });
  if (!answer.ok || answer.redirected) return;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  become(document.querySelector("main"), page.querySelector("main"));
  document.dispatchEvent(new Event("coffers:shown"));
}

form?.addEventListener("submit", async (event) => {
  event.preventDefault();
  const button = form.querySelector("button");
  if (button.disabled) return;
  button.disabled = true;
  show("Asking…");
  try {
    const end = await follow();
    await takeOver();
    show(end.told, end.is_good ? "good" : "bad");
  } catch {
    show("The server did not answer; try again.", "bad");
  }
  button.disabled = false;
});
