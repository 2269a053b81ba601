// Makes a part of this page like the same part of a newer one, changing nothing that is alike: what
// is open stays open, what has the focus keeps it, and nothing jumps.
//
// Elements are the same where their id, or their data-key, is; others by their place. What carries
// data-own belongs to another script and is left alone. Nodes are adopted, no text is parsed.

export function become(here, there) {
  const focused = document.activeElement;
  update(here, there);
  if (focused !== document.activeElement && focused?.isConnected) {
    focused.focus({ preventScroll: true });
  }
}

function update(here, there) {
  if (here.isEqualNode(there) || here.hasAttribute("data-own") || isInUse(here)) return;
  const before = here.dataset?.value;
  takeAttributes(here, there);
  takeChildren(here, there);
  tellMove(here, before);
}

// A form in which somebody writes is not taken away from under the hands.
function isInUse(here) {
  if (here.nodeName !== "FORM") return false;
  if (here.contains(document.activeElement)) return true;
  return [...here.elements].some(
    (field) =>
      field.type !== "hidden" &&
      ((field.defaultValue !== undefined && field.value !== field.defaultValue) ||
        field.checked !== field.defaultChecked),
  );
}

function takeAttributes(here, there) {
  const isUsers = (name) =>
    name === "data-moved" || (name === "open" && here.nodeName === "DETAILS");
  for (const { name } of [...here.attributes]) {
    if (!there.hasAttribute(name) && !isUsers(name)) here.removeAttribute(name);
  }
  for (const { name, value } of there.attributes) {
    if (here.getAttribute(name) !== value && !isUsers(name)) here.setAttribute(name, value);
  }
}

function takeChildren(here, there) {
  const known = new Map();
  for (const child of here.children) if (keyOf(child)) known.set(keyOf(child), child);
  let place = here.firstChild;
  for (const wanted of [...there.childNodes]) {
    const key = keyOf(wanted);
    const found = key ? known.get(key) : isAlike(place, wanted) ? place : null;
    known.delete(key); // another one of the same key is another one
    if (!found || found.nodeName !== wanted.nodeName) {
      here.insertBefore(document.adoptNode(wanted), place);
      continue;
    }
    if (found === place) place = place.nextSibling;
    else here.insertBefore(found, place);
    if (found.nodeType === Node.ELEMENT_NODE) update(found, wanted);
    else if (found.data !== wanted.data) found.data = wanted.data;
  }
  while (place) {
    const next = place.nextSibling;
    place.remove();
    place = next;
  }
}

function keyOf(node) {
  return node.id || node.dataset?.key;
}

function isAlike(node, wanted) {
  return node !== null && node.nodeName === wanted.nodeName && !keyOf(node);
}

// What rose or fell says so for a moment; style.css shows how.
function tellMove(here, before) {
  const now = here.dataset?.value;
  if (before === undefined || now === undefined || before === now) return;
  const change = Number(now) - Number(before);
  if (!change) return;
  here.removeAttribute("data-moved");
  void here.offsetWidth; // else an animation that runs would not begin anew
  here.dataset.moved = change > 0 ? "up" : "down";
  here.addEventListener("animationend", () => here.removeAttribute("data-moved"), { once: true });
}
