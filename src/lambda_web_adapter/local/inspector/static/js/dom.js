// Elements, made without any HTML: what comes from an event is text, whatever is in it.

const SVG = "http://www.w3.org/2000/svg";

/**
 * Return an element.
 * @param {string} spec tag and classes: "button.primary"
 * @param {Object} props attributes; `on…` is a listener, `style` and `data` are objects, null and false are left out
 * @param {...any} children nodes, texts, lists of them; null and false are left out
 */
export function h(spec, props, ...children) {
  const [tag, ...classes] = spec.split(".");
  const node = document.createElement(tag);
  if (classes.length) node.className = classes.join(" ");
  setProps(node, props);
  node.append(...flatten(children));
  return node;
}

/** Return an SVG element; the arguments are those of `h`. */
export function s(spec, props, ...children) {
  const [tag, ...classes] = spec.split(".");
  const node = document.createElementNS(SVG, tag);
  if (classes.length) node.setAttribute("class", classes.join(" "));
  setProps(node, props);
  node.append(...flatten(children));
  return node;
}

/** Replace what is in an element. */
export function fill(node, ...children) {
  node.replaceChildren(...flatten(children));
  return node;
}

/** Set a text, unless the element has it. */
export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

function setProps(node, props) {
  for (const [name, value] of Object.entries(props ?? {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (name === "style") for (const [key, each] of Object.entries(value)) node.style.setProperty(key, each);
    else if (name === "data") Object.assign(node.dataset, value);
    else if (name === "value") node.value = value;
    else node.setAttribute(name, value === true ? "" : value);
  }
}

function flatten(children) {
  return children.flat(Infinity).filter((each) => each !== null && each !== undefined && each !== false);
}

// Strokes of 16 × 16 icons.
const ICONS = {
  search: "M7 12A5 5 0 1 0 7 2a5 5 0 0 0 0 10ZM14 14l-3.4-3.4",
  close: "M4 4l8 8M12 4l-8 8",
  back: "M10 3 5 8l5 5",
  chevron: "M6 4l4 4-4 4",
  arrow: "M3 8h10M9.5 4.5 13 8l-3.5 3.5",
  pause: "M5.5 3.5v9M10.5 3.5v9",
  play: "M5 3.5v9l7-4.5Z",
  clear: "M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12ZM3.8 3.8l8.4 8.4",
  replay: "M13 8a5 5 0 1 1-1.6-3.7M13 2v3h-3",
  copy: "M6 6V3.5A1 1 0 0 1 7 2.5h5a1 1 0 0 1 1 1v6a1 1 0 0 1-1 1h-2M4 6h5a1 1 0 0 1 1 1v5.5a1 1 0 0 1-1 1H4a1 1 0 0 1-1-1V7a1 1 0 0 1 1-1Z",
  cold: "M8 2v12M2.8 5l10.4 6M13.2 5 2.8 11M6.5 2.8 8 4.2l1.5-1.4M6.5 13.2 8 11.8l1.5 1.4",
  eye: "M1.5 8S4 3.5 8 3.5 14.5 8 14.5 8 12 12.5 8 12.5 1.5 8 1.5 8ZM8 10a2 2 0 1 0 0-4 2 2 0 0 0 0 4Z",
  sun: "M8 11a3 3 0 1 0 0-6 3 3 0 0 0 0 6ZM8 1v1.5M8 13.5V15M1 8h1.5M13.5 8H15M3 3l1 1M12 12l1 1M13 3l-1 1M4 12l-1 1",
  moon: "M13.5 9.5A6 6 0 0 1 6.5 2.5a6 6 0 1 0 7 7Z",
  keys: "M2 4.5h12v7H2ZM4.5 7h0M7 7h0M9.5 7h0M12 7h0M5 9.5h6",
  stream: "M2 5c2-2 4-2 6 0s4 2 6 0M2 11c2-2 4-2 6 0s4 2 6 0",
  warn: "M8 2 14.5 13.5h-13ZM8 6.5v3M8 11.5h0",
  download: "M8 2v8M4.5 7 8 10.5 11.5 7M3 13.5h10",
  compare: "M5 3v10M11 3v10M2.5 5.5 5 3l2.5 2.5M8.5 10.5 11 13l2.5-2.5",
  list: "M3 4h10M3 8h10M3 12h10",
  lanes: "M2 4h5M9 4h5M2 8h8M12 8h2M2 12h3M7 12h7",
  cost: "M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12ZM10 6c-.5-.8-1.2-1-2-1-1.2 0-2 .6-2 1.5 0 2 4 1 4 3 0 .9-.8 1.5-2 1.5-.9 0-1.600-.3-2-1M8 4v1M8 11v1",
};

/** Return an icon; it is decoration unless it has a label. */
export function icon(name, label) {
  const props = label ? { role: "img", "aria-label": label } : { "aria-hidden": "true" };
  return s(
    "svg.icon",
    { viewBox: "0 0 16 16", ...props },
    label && s("title", {}, label),
    s("path", { d: ICONS[name] }),
  );
}
