// What was done is told once: it is taken out of the address, so that the page does not say it again
// when it is loaded anew or kept as a bookmark, and out of a live page with what changes next, once
// there was time to read it.
const TIME_TO_READ = 10_000;

const address = new URL(location.href);
address.searchParams.delete("done");
history.replaceState(history.state, "", address);

document.addEventListener("coffers:shown", () => {
  // Counted from when the page was asked for.
  if (performance.now() > TIME_TO_READ) document.getElementById("notice").hidden = true;
});
