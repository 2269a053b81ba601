// Lets ages advance between two looks at the server, by the server's clock: "3 min ago".

const EVERY = 5_000;
const LENGTHS = [
  [86_400_000, "d"],
  [3_600_000, "h"],
  [60_000, "min"],
  [1_000, "s"],
];

let ahead = 0;

// Take the server's clock from a page that has just come.
export function setClock(now) {
  ahead = Number(now) - Date.now();
  advance();
}

// Return an element that tells the age of this moment, and goes on doing so.
export function ageOfNow() {
  const age = document.createElement("time");
  age.dataset.at = String(Date.now() + ahead);
  tell(age, `${spanOf(0)} ago`);
  return age;
}

function advance() {
  const now = Date.now() + ahead;
  for (const each of document.querySelectorAll("time[data-at]")) {
    const at = Number(each.dataset.at);
    tell(each, at <= now ? `${spanOf(now - at)} ago` : `in ${spanOf(at - now)}`);
  }
}

function tell(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

function spanOf(millis) {
  const [length, name] = LENGTHS.find(([each]) => millis >= each) ?? LENGTHS.at(-1);
  return `${Math.floor(millis / length)} ${name}`;
}

setInterval(() => {
  if (!document.hidden) advance();
}, EVERY);
