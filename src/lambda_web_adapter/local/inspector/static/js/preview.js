// What another event source would send for the same request, before it runs.

import { h } from "./dom.js";
import { formatSource } from "./format.js";
import { treeView } from "./tree.js";

/** Return how the app's request and the event would differ, and both of them. */
export function previewView({ event, request, problem, differences, request_differences: requestDifferences }, source) {
  const name = formatSource(source);
  const wholeEvent = h("details", {}, h("summary", {}, "The whole event"), treeView(event, {}));
  return [
    h("h2.part-title", {}, `What changes as ${name}`),
    h("h3", {}, "For the app"),
    request
      ? differencesTable(requestDifferences, name, "The app would get the same request.")
      : h("p.problem", {}, problem),
    h("h3", {}, "In the event"),
    differencesTable(differences, name, "The events are the same, apart from ids and times."),
    wholeEvent,
    request &&
      h(
        "details",
        {},
        h("summary", {}, "The request that the app would get"),
        h("pre.text.scrolls", { tabindex: "0" }, requestText(request)),
      ),
  ];
}

function differencesTable(differences, name, none) {
  if (!differences.length) return h("p.missing", {}, none);
  const head = ["", "Now", name].map((each) => h("th", { scope: "col" }, each));
  const rows = differences.map(({ path, before, after }) =>
    h(
      "tr",
      {},
      h("th", { scope: "row" }, path),
      h("td.before", {}, valueView(before)),
      h("td.after", {}, valueView(after)),
    ),
  );
  return h(
    "div.scrolls",
    { tabindex: "0" },
    h("table.differences", {}, h("thead", {}, h("tr", {}, head)), h("tbody", {}, rows)),
  );
}

function valueView(value) {
  if (value === null || value === undefined) return h("span.muted", {}, "–");
  return typeof value === "string" ? value || '""' : JSON.stringify(value);
}

function requestText({ method, target, headers, body }) {
  const lines = [`${method} ${target}`, ...headers.map(([name, value]) => `${name}: ${value}`)];
  return `${lines.join("\n")}\n\n${body?.encoding === "text" ? body.data : `(${body?.size ?? 0} bytes)`}`;
}
