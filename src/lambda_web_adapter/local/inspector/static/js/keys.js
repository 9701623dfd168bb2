// The keyboard: which key does what, and the dialog that lists them.

import { h } from "./dom.js";
import { openDialog } from "./overlays.js";

/** Call `actions[key]` for keys that are pressed outside of fields; an action that returns false leaves the key alone. */
export function listen(actions) {
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
    const isField = event.target.closest("input, textarea, select, [contenteditable]");
    if (isField) {
      if (event.key === "Escape") event.target.blur();
      return;
    }
    const isControl = event.target.closest("button, a, summary, [role=tree], [role=tab], [role=slider], .scrolls");
    if (isControl && ["Enter", "ArrowDown", "ArrowUp"].includes(event.key)) return;
    const action = actions[event.key];
    if (action && action(event) !== false) event.preventDefault();
  });
}

const KEYS = [
  ["/", "Search"],
  ["j  ↓", "Next invocation"],
  ["k  ↑", "Previous invocation"],
  ["Enter", "Open the invocation"],
  ["Esc", "Close it"],
  ["r", "Replay it"],
  ["1  2  3", "Invocations, environments, cost"],
  ["t", "Light or dark"],
  ["?", "This list"],
];

/** Show the keys. */
export function showKeys() {
  const rows = KEYS.map(([keys, what]) =>
    h(
      "tr",
      {},
      h(
        "td",
        {},
        keys.split("  ").map((each) => h("kbd", {}, each)),
      ),
      h("td", {}, what),
    ),
  );
  openDialog("Keys", h("table.keys", {}, h("tbody", {}, rows)));
}
