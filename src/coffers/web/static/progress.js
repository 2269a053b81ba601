// Tells how far something has come, and opens what came of it. Without it the page asks for itself again.
const LOOK_EVERY = 400;

const awaited = document.querySelector("[data-progress]");
const [state, seconds] = awaited.children;

const later = (wait) => new Promise((done) => setTimeout(done, wait));

async function isOver() {
  const answer = await fetch(awaited.dataset.progress, { cache: "no-store" });
  // Signed out, or not kept any more: the page itself says so.
  if (!answer.ok || answer.redirected) return true;
  const now = await answer.json();
  // What is the same is not said again.
  if (now.state && state.textContent !== now.state) state.textContent = now.state;
  if (now.seconds !== undefined) seconds.textContent = `${now.seconds} s`;
  return now.is_over;
}

async function follow() {
  for (;;) {
    try {
      if (await isOver()) return;
    } catch {
      state.textContent = "The server does not answer; it is asked again.";
    }
    await later(LOOK_EVERY);
  }
}

await follow();
location.reload();
