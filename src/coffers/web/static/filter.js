// Shows the markets whose names have all words of what is typed, without asking the server.
const form = document.querySelector("form[data-filters]");
const told = document.querySelector("[data-filtered]");

if (form) {
  const list = document.getElementById(form.dataset.filters);
  const input = form.elements.q;
  // What the server left out for a search cannot be shown here; the form asks it again.
  const isWhole = input.value.trim() === "";

  const filter = () => {
    const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    for (const group of list.querySelectorAll(".group")) {
      let inGroup = 0;
      for (const item of group.querySelectorAll("[data-words]")) {
        const has = words.every((word) => item.dataset.words.includes(word));
        item.hidden = !has;
        inGroup += has;
      }
      group.hidden = inGroup === 0;
      shown += inGroup;
    }
    if (words.length === 0) told.textContent = "";
    else if (shown === 0) told.textContent = "None of that name; press Enter for a suggestion.";
    else told.textContent = shown === 1 ? "1 found" : `${shown} found`;
  };

  if (isWhole) input.addEventListener("input", filter);
}
