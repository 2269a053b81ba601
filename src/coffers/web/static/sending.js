// Has each form sent once: a second press half a second later would hide what the first one did, as a
// secret that is shown this once. Forms that a script sends by itself are its own.

const sent = new Set();

document.addEventListener("submit", (event) => {
  const form = event.target;
  // Asked for as an attribute: a field may be called "method", and would hide the property.
  if (event.defaultPrevented || form.getAttribute("method") !== "post") return;
  if (sent.has(form)) {
    event.preventDefault();
    return;
  }
  sent.add(form);
  form.setAttribute("aria-busy", "true");
  event.submitter?.classList.add("pressed");
  // Not before the form is on its way: what a button says is left out once it is disabled.
  setTimeout(() => setDisabled(form, sent.has(form)));
});

// A page that a browser kept, or whose buttons it left as they were, can be sent from once more.
addEventListener("pageshow", (event) => {
  if (event.persisted) sent.clear();
  for (const form of document.querySelectorAll("form[method='post']")) {
    if (!sent.has(form)) release(form);
  }
});

function release(form) {
  form.removeAttribute("aria-busy");
  form.querySelector(".pressed")?.classList.remove("pressed");
  setDisabled(form, false);
}

function setDisabled(form, isDisabled) {
  for (const button of form.querySelectorAll("button:not([type='button'])")) {
    button.disabled = isDisabled;
  }
}
