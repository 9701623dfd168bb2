// One row of the list.

import { h, icon, setText } from "./dom.js";
import { formatAge, formatMs, formatSource, outcomeOf } from "./format.js";
import { SLOW_MS } from "./store.js";

/** Return an empty row. */
export function createRow() {
  const row = h("div.row", { role: "option" });
  row.parts = {
    status: h("span.badge"),
    number: h("span.number"),
    method: h("span.method"),
    target: h("span.target"),
    marks: h("span.marks"),
    source: h("span.source"),
    environment: h("span.environment"),
    took: h("span.took"),
    age: h("span.age"),
  };
  row.append(...Object.values(row.parts));
  return row;
}

/** Show an invocation in a row. */
export function updateRow(row, item) {
  const { parts } = row;
  row.id = `row-${item.number}`;
  row.dataset.number = item.number;
  row.dataset.tone = item.tone;
  parts.status.dataset.tone = item.tone;
  setText(parts.status, outcomeOf(item));
  setText(parts.number, `#${item.number}`);
  setText(parts.method, item.method || "event");
  setText(parts.target, item.target);
  parts.target.title = item.title;
  parts.marks.replaceChildren(...marksOf(item));
  setText(parts.source, formatSource(item.source));
  setText(parts.environment, item.environment ? `env ${item.environment}` : "–");
  parts.took.classList.toggle("slow", item.took >= SLOW_MS);
  tickRow(row, item);
}

/** Show what changes by itself: the age, and how long a running invocation has taken. */
export function tickRow(row, item) {
  const now = Date.now() / 1000;
  setText(row.parts.took, item.is_complete ? formatMs(item.took) : formatMs(Math.max(0, now - item.received) * 1000));
  setText(row.parts.age, formatAge(item.received, now));
}

function marksOf(item) {
  const marks = [];
  if (item.is_cold) marks.push(mark("cold", "cold", `Cold start: it waited for an init of ${formatMs(item.init_ms)}`));
  if (item.is_streamed) marks.push(mark("stream", "", "The reply was streamed"));
  if (item.replay_of) marks.push(mark("replay", `of #${item.replay_of}`, `Replay of ${item.replay_of}`));
  return marks;
}

function mark(name, text, title) {
  return h(`span.mark.mark-${name}`, { title }, icon(name, title), text);
}
