// What the app's start imports, and how long each module takes: a tree with bars, the slowest first.

import { post } from "./api.js";
import { fill, h, icon } from "./dom.js";
import { formatMs } from "./format.js";

// Down to this share of the whole, a module is unfolded at first.
const UNFOLDED_SHARE = 0.15;

/** Return a button that measures, and then the tree. */
export function importsTab() {
  const place = h("div.imports-result");
  const button = h("button.button.primary", { type: "button", onclick: () => measure() }, "Measure the imports");
  async function measure() {
    button.disabled = true;
    fill(place, h("p.muted", { role: "status" }, "Importing the app in a process of its own …"));
    try {
      const root = await post("/import-times");
      fill(place, importTree(root));
    } catch (error) {
      fill(place, h("div.problem", { role: "alert" }, icon("warn"), h("pre", {}, error.message)));
    } finally {
      button.disabled = false;
    }
  }
  return h(
    "section.imports",
    {},
    h(
      "p.lead",
      {},
      "Most of a cold start is imports. This imports the app once more, with Python's ",
      h("code", {}, "-X importtime"),
      ", and shows which module takes how long. Requests are not disturbed.",
    ),
    button,
    place,
  );
}

function importTree(root) {
  const whole = root.cumulative_us || 1;
  const children = bySlowest(root.children);
  return [
    h(
      "p.imports-sum",
      {},
      h("strong", {}, formatMs(whole / 1000)),
      ` for ${countModules(root).toLocaleString("en")} modules. The time is that of the module with all that it imports; the dark part is its own.`,
    ),
    h(
      "ul.import-tree",
      { "aria-label": "Imports" },
      (children.length ? children : [root]).map((each) => moduleView(each, whole)),
    ),
  ];
}

function moduleView(module, whole) {
  const bar = h(
    "span.import-bar",
    { "aria-hidden": "true" },
    h("span.import-all", { style: { width: `${(module.cumulative_us / whole) * 100}%` } }),
    h("span.import-self", { style: { width: `${(module.self_us / whole) * 100}%` } }),
  );
  const own = `${formatMs(module.self_us / 1000)} its own`;
  const label = [
    h("span.import-name", {}, module.name),
    bar,
    h("span.import-ms", { title: own }, formatMs(module.cumulative_us / 1000)),
  ];
  const children = bySlowest(module.children ?? []);
  if (!children.length) return h("li", {}, h("div.import-line", {}, label));
  const list = h("ul");
  const details = h(
    "details",
    {
      ontoggle: () =>
        details.open &&
        !list.firstChild &&
        fill(
          list,
          children.map((each) => moduleView(each, whole)),
        ),
    },
    h("summary.import-line", {}, label),
    list,
  );
  details.open = module.cumulative_us / whole >= UNFOLDED_SHARE;
  return h("li", {}, details);
}

function bySlowest(modules) {
  return [...(modules ?? [])].sort((one, other) => other.cumulative_us - one.cumulative_us);
}

/** Return how many modules were imported; those that take little are one entry, "… 3 smaller". */
function countModules(module) {
  const smaller = /^… (\d+) smaller$/.exec(module.name);
  return (module.children ?? []).reduce((sum, each) => sum + countModules(each), smaller ? Number(smaller[1]) : 1);
}
