// JSON as a tree that folds, with a path and a value to copy in each line.

import { h, icon } from "./dom.js";
import { copyText } from "./overlays.js";

// Down to this depth it is unfolded, unless there are more children than this.
const OPEN_DEPTH = 3;
const OPEN_CHILDREN = 60;
// What is shown of a long text, in characters, and of a long list at once.
const TEXT_CHARACTERS = 400;
const CHILDREN_AT_ONCE = 200;

/**
 * Return a tree.
 * @param {any} value what JSON.parse returned
 * @param {Object} options `marks`: notes by lower-case key; `noteView(note)`; `placed`: gets the notes that are shown
 */
export function treeView(value, options) {
  const isContainer = typeof value === "object" && value !== null;
  const tree = h(
    "ul.tree",
    { role: "tree", "aria-label": "JSON", onkeydown: moveFocus },
    isContainer ? children(value, "", 0, options) : node("", value, "", 0, options),
  );
  tree.querySelector("[role=treeitem]")?.setAttribute("tabindex", "0");
  return tree;
}

function children(value, path, depth, options, from = 0) {
  const isList = Array.isArray(value);
  const entries = isList ? value.map((each, index) => [index, each]) : Object.entries(value);
  const nodes = entries
    .slice(from, from + CHILDREN_AT_ONCE)
    .map(([key, each]) => node(key, each, pathOf(path, key, isList), depth, options));
  const next = from + CHILDREN_AT_ONCE;
  if (entries.length > next) {
    const more = h(
      "li.more",
      { role: "none" },
      h(
        "button.link",
        { type: "button", onclick: () => more.replaceWith(...children(value, path, depth, options, next)) },
        `${entries.length - next} more`,
      ),
    );
    nodes.push(more);
  }
  return nodes;
}

function pathOf(path, key, isList) {
  if (isList) return `${path}[${key}]`;
  if (!/^[A-Za-z_$][\w$]*$/.test(key)) return `${path}[${JSON.stringify(key)}]`;
  return path ? `${path}.${key}` : key;
}

function node(key, value, path, depth, options) {
  const isContainer = typeof value === "object" && value !== null && Object.keys(value).length > 0;
  const notes = notesOf(key, depth, options);
  const label = key === "" ? null : [h("span.key", {}, String(key)), h("span.colon", {}, ": ")];
  const line = h(
    "div.tree-line",
    { data: notes.length ? { kind: notes[0].kind } : {} },
    h("span.fold", { "aria-hidden": "true" }, isContainer && icon("chevron")),
    label,
  );
  const item = h(
    "li",
    { role: "treeitem", tabindex: "-1" },
    line,
    notes.map((each) => options.noteView(each)),
  );
  line.append(isContainer ? h("span.summary", {}, summaryOf(value)) : leaf(value), copyButtons(path, value));
  if (isContainer) makeFoldable(item, line, value, path, depth, options);
  return item;
}

function makeFoldable(item, line, value, path, depth, options) {
  let group = null;
  const set = (isOpen) => {
    if (isOpen && !group) item.append((group = h("ul", { role: "group" }, children(value, path, depth + 1, options))));
    if (group) group.hidden = !isOpen;
    item.setAttribute("aria-expanded", String(isOpen));
  };
  item.fold = set;
  line.classList.add("foldable");
  line.addEventListener(
    "click",
    (event) => event.target.closest("button") || set(item.getAttribute("aria-expanded") !== "true"),
  );
  set(depth < OPEN_DEPTH && Object.keys(value).length <= OPEN_CHILDREN);
}

function notesOf(key, depth, { marks, placed }) {
  if (!marks || depth > 3) return [];
  const notes = (marks.get(String(key).toLowerCase()) ?? []).filter((note) => !placed.has(note));
  notes.forEach((note) => placed.add(note));
  return notes;
}

function summaryOf(value) {
  const count = Object.keys(value).length;
  return Array.isArray(value) ? `[${count}]` : `{${count}}`;
}

function leaf(value) {
  if (typeof value !== "string")
    return h(
      "span.leaf",
      { data: { type: value === null || typeof value === "object" ? "null" : typeof value } },
      JSON.stringify(value),
    );
  if (value.length <= TEXT_CHARACTERS) return h("span.leaf", { data: { type: "string" } }, JSON.stringify(value));
  const text = h("span", {}, JSON.stringify(value.slice(0, TEXT_CHARACTERS)).slice(0, -1));
  const more = h(
    "button.link",
    { type: "button", onclick: () => ((text.textContent = JSON.stringify(value)), more.remove()) },
    `… ${(value.length - TEXT_CHARACTERS).toLocaleString("en")} more`,
  );
  return h("span.leaf", { data: { type: "string" } }, text, more);
}

function copyButtons(path, value) {
  const text = () => (typeof value === "string" ? value : JSON.stringify(value, null, 2));
  return h(
    "span.tree-tools",
    {},
    path &&
      h(
        "button.copy",
        {
          type: "button",
          tabindex: "-1",
          title: `Copy the path ${path}`,
          "aria-label": `Copy the path ${path}`,
          onclick: () => copyText(path, path),
        },
        "path",
      ),
    h(
      "button.copy",
      {
        type: "button",
        tabindex: "-1",
        title: "Copy the value",
        "aria-label": `Copy the value of ${path}`,
        onclick: () => copyText(text(), "the value"),
      },
      icon("copy"),
    ),
  );
}

/** Move the focus in a tree as WAI-ARIA has it: arrows, Home, End. */
function moveFocus(event) {
  const item = event.target.closest("[role=treeitem]");
  if (!item || event.target.closest("button")) return;
  const items = [...event.currentTarget.querySelectorAll("[role=treeitem]")].filter((each) => each.offsetParent);
  const index = items.indexOf(item);
  const isOpen = item.getAttribute("aria-expanded");
  let next = null;
  if (event.key === "ArrowDown") next = items[index + 1];
  else if (event.key === "ArrowUp") next = items[index - 1];
  else if (event.key === "Home") next = items[0];
  else if (event.key === "End") next = items.at(-1);
  else if (event.key === "ArrowRight") isOpen === "false" ? item.fold(true) : (next = items[index + 1]);
  else if (event.key === "ArrowLeft")
    isOpen === "true" ? item.fold(false) : (next = item.parentElement.closest("[role=treeitem]"));
  else if (event.key === "Enter" && item.fold) item.fold(isOpen !== "true");
  else return;
  event.preventDefault();
  event.stopPropagation();
  if (next) {
    item.setAttribute("tabindex", "-1");
    next.setAttribute("tabindex", "0");
    next.focus();
  }
}
