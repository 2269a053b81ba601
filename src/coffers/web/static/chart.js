// Lets a chart be read: a line across at the moment under the pointer, the finger or the arrow keys,
// and in words what was there then. The server draws the chart and says the words.

const NAMESPACE = "http://www.w3.org/2000/svg";
const STEPS = { ArrowLeft: -1, ArrowRight: 1, PageUp: -10, PageDown: 10, Home: -Infinity, End: Infinity };
const WIDTH = 960;
const HEIGHT = 300;
const TOP = 34;
const BOTTOM = 266;

class Reading {
  constructor(plot) {
    this.plot = plot;
    this.line = plot.parentElement.querySelector("[data-spot]");
    this.over = plot.querySelector(".over");
    this.chosen = null;
    this.draw();
    this.renew();
    this.over.addEventListener("pointermove", (event) => this.point(event));
    this.over.addEventListener("pointerdown", (event) => this.point(event));
    this.over.addEventListener("pointerleave", (event) => {
      if (event.pointerType === "mouse" && document.activeElement !== this.over) this.choose(null);
    });
    this.over.addEventListener("keydown", (event) => this.press(event));
    this.over.addEventListener("focus", () => {
      if (this.over.matches(":focus-visible")) this.choose(this.chosen ?? this.spots.length - 1);
    });
    this.over.addEventListener("blur", () => this.choose(null));
  }

  draw() {
    const svg = element("svg", { "aria-hidden": "true" });
    this.across = element("line", { class: "across", y1: high(TOP), y2: high(BOTTOM) });
    this.put = element("circle", { class: "put-in", r: 4 });
    this.dot = element("circle", { class: "dot", r: 5 });
    svg.append(this.across, this.put, this.dot);
    this.over.replaceChildren(svg);
    for (const [name, value] of Object.entries({ tabindex: 0, role: "slider", "aria-valuemin": 0 })) {
      this.over.setAttribute(name, value);
    }
  }

  // Take what the server told last.
  renew() {
    const isAtEnd = this.chosen !== null && this.chosen === this.spots.length - 1;
    this.spots = JSON.parse(this.plot.dataset.spots);
    const last = this.spots.length - 1;
    this.over.setAttribute("aria-label", this.plot.dataset.of);
    this.over.setAttribute("aria-valuemax", last);
    this.choose(this.chosen === null ? null : isAtEnd ? last : Math.min(this.chosen, last));
  }

  point(event) {
    const box = this.over.getBoundingClientRect();
    const x = ((event.clientX - box.left) / box.width) * WIDTH;
    let nearest = 0;
    for (const [number, [at]] of this.spots.entries()) {
      if (Math.abs(at - x) < Math.abs(this.spots[nearest][0] - x)) nearest = number;
    }
    this.choose(nearest);
  }

  press(event) {
    const step = STEPS[event.key];
    const last = this.spots.length - 1;
    if (event.key === "Escape") this.choose(null);
    if (step === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    this.choose(Math.max(0, Math.min(last, (this.chosen ?? last) + step)));
  }

  choose(number) {
    this.chosen = number;
    this.over.classList.toggle("reads", number !== null);
    const shown = number ?? this.spots.length - 1;
    const [x, y, putAt, when, worth, put, isCarried] = this.spots[shown];
    set(this.across, { x1: wide(x), x2: wide(x) });
    set(this.dot, { cx: wide(x), cy: high(y) });
    set(this.put, { cx: wide(x), cy: high(putAt ?? -HEIGHT) });
    const carried = isCarried ? ", carried forward" : "";
    const told = put === null ? "" : `; there and put in: ${put}`;
    const bold = document.createElement("strong");
    bold.textContent = worth;
    this.line.replaceChildren(`${when}: `, bold, `${carried}${told}`);
    this.over.setAttribute("aria-valuenow", shown);
    this.over.setAttribute("aria-valuetext", this.line.textContent);
  }
}

// The drawing stretches with the page; what lies over it does not.
function wide(x) {
  return `${(100 * x) / WIDTH}%`;
}

function high(y) {
  return `${(100 * y) / HEIGHT}%`;
}

function element(name, attributes) {
  const made = document.createElementNS(NAMESPACE, name);
  set(made, attributes);
  return made;
}

function set(element, attributes) {
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
}

const readings = new Map();

function readAll() {
  for (const plot of document.querySelectorAll(".plot")) {
    const known = readings.get(plot);
    if (known) known.renew();
    else readings.set(plot, new Reading(plot));
  }
  for (const plot of readings.keys()) if (!plot.isConnected) readings.delete(plot);
}

document.addEventListener("coffers:shown", readAll);
readAll();
