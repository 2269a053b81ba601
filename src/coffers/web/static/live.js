// Keeps the page as it would be if it were asked for now. The server tells over a stream that there
// is something new; then the same page is fetched again, and what differs in it is put in.

import { ageOfNow, setClock } from "./ages.js";
import { become } from "./morph.js";

const AT_MOST_EVERY = 2_000;
const AT_LEAST_EVERY = 60_000;
const FIRST_WAIT = 1_000;
const LONGEST_WAIT = 60_000;
const PATIENCE = 20_000;
const SILENT_FOR = 40_000; // the server says something every 15 seconds

const state = document.getElementById("live-state");
let stream = null;
let failures = 0;
let askedAt = Date.now();
let isAsking = false;
let hasChangedSince = false;
let isLeaving = false;
let asking = 0;
let trying = 0;
let silence = 0;

function setState(isLive) {
  const isSaid = state.hasChildNodes() && document.body.classList.contains("lost") === !isLive;
  document.body.classList.toggle("lost", !isLive);
  if (isSaid) return;
  if (isLive) {
    state.textContent = "Live.";
    return;
  }
  // An age, which needs no time zone. Readers of screens are told once, and not of each second.
  const since = document.createElement("span");
  since.setAttribute("aria-hidden", "true");
  since.append(" (cut off ", ageOfNow(), ")");
  state.replaceChildren("Not live", since, "; trying again.");
}

function askSoon(wait = 0) {
  clearTimeout(asking);
  if (isLeaving) return;
  asking = setTimeout(
    async () => {
      if (!(await ask()) && !document.hidden) tryLater();
    },
    Math.max(wait, askedAt + AT_MOST_EVERY - Date.now()),
  );
}

// Bring the page up to date; false where that could not be.
async function ask() {
  if (document.hidden) return false;
  if (isAsking) return true;
  clearTimeout(asking);
  isAsking = true;
  hasChangedSince = false;
  askedAt = Date.now();
  try {
    const options = { cache: "no-store", signal: AbortSignal.timeout(PATIENCE) };
    const answer = await fetch(location.href, options);
    // The session is over, and the server leads to the sign-in; or what was shown is gone.
    if (answer.redirected || answer.status === 404) return leaveFor(answer.url);
    if (!answer.ok) return false;
    return show(new DOMParser().parseFromString(await answer.text(), "text/html"));
  } catch {
    return false;
  } finally {
    isAsking = false;
    askSoon(hasChangedSince ? 0 : AT_LEAST_EVERY);
  }
}

function leaveFor(address) {
  isLeaving = true;
  rest();
  location.assign(address);
  return true;
}

function show(page) {
  const script = (each) => each.querySelector("script[src*='live.js']")?.getAttribute("src");
  // The server is of another release now, and so are its styles and scripts.
  if (script(page) !== script(document)) return leaveFor(location.href);
  become(document.querySelector("main"), page.querySelector("main"));
  become(document.getElementById("prices"), page.getElementById("prices"));
  document.body.dataset.live = page.body.dataset.live;
  document.title = page.title;
  setClock(page.body.dataset.now);
  document.dispatchEvent(new Event("coffers:shown"));
  return true;
}

function listen() {
  stream?.close();
  stream = new EventSource(document.body.dataset.live);
  stream.onopen = () => {
    failures = 0;
    setState(true);
    hear();
  };
  stream.addEventListener("beat", hear);
  stream.onmessage = () => {
    hear();
    hasChangedSince = true;
    if (!isAsking) askSoon();
  };
  stream.onerror = tryLater;
}

// A line that is cut somewhere in between looks open; only its silence tells.
function hear() {
  clearTimeout(silence);
  silence = setTimeout(tryLater, SILENT_FOR);
}

function tryLater() {
  stream?.close();
  stream = null;
  clearTimeout(silence);
  clearTimeout(trying);
  // Apart from each other, so that a server that comes back is not asked by all at once.
  const wait = Math.min(LONGEST_WAIT, FIRST_WAIT * 2 ** failures) * (0.5 + Math.random());
  failures += 1;
  if (failures > 1) setState(false);
  trying = setTimeout(begin, wait);
}

async function begin() {
  if (document.hidden) return;
  clearTimeout(trying);
  const isUpToDate = await ask();
  if (isLeaving || document.hidden) return;
  if (isUpToDate) listen();
  else tryLater();
}

function rest() {
  stream?.close();
  stream = null;
  clearTimeout(silence);
  clearTimeout(asking);
  clearTimeout(trying);
}

// A page that nobody sees costs the server nothing, and holds none of the few connections that a
// browser has to it.
document.addEventListener("visibilitychange", () => {
  if (document.hidden) rest();
  else begin();
});
addEventListener("pagehide", rest);
addEventListener("pageshow", (event) => {
  isLeaving = false;
  if (event.persisted) begin();
});

setClock(document.body.dataset.now);
if (!document.hidden) {
  listen();
  askSoon(AT_LEAST_EVERY);
}
