// Where the time of an invocation went, phase by phase.

import { h } from "./dom.js";
import { formatMs } from "./format.js";

// What is shorter is no phase of its own, in ms.
const SHORTEST_MS = 0.05;

/** Return the phases of a detail: {name, kind, from, to}, in ms after it was received. */
export function phasesOf(detail) {
  const { times } = detail;
  const phases = [];
  const add = (name, kind, from, to) => {
    if (from !== null && to !== null && from !== undefined && to !== undefined && to - from > SHORTEST_MS)
      phases.push({ name, kind, from, to });
  };
  const started = times.started;
  // The init may have begun before the request.
  const init = detail.is_cold && started !== null ? Math.min(detail.init_ms, started) : 0;
  add("Waited", "waited", 0, started === null ? null : started - init);
  add("Init", "init", started === null ? null : started - init, started);
  add("Event → request", "adapter", started, times.requested);
  if (times.responded === null) {
    add("Adapter and app", "app", times.requested ?? started, times.first_byte ?? times.replied);
  } else add("App", "app", times.requested ?? started, times.responded);
  const streamed = times.first_byte;
  if (streamed !== null) {
    add("First byte", "adapter", times.responded, streamed);
    add("Stream", "stream", Math.max(streamed, times.responded ?? 0), times.replied);
  } else add("Response → reply", "adapter", times.responded, times.replied);
  add("After the reply", "background", times.replied, times.ended);
  add("Until frozen", "frozen", times.ended ?? times.replied, times.frozen);
  return phases;
}

/** Return the waterfall of a detail; null if there is nothing to show. */
export function waterfall(detail) {
  const phases = phasesOf(detail);
  if (!phases.length) return null;
  const whole = Math.max(...phases.map((each) => each.to), detail.response_ms ?? 0);
  const percent = (ms) => `${(ms / whole) * 100}%`;
  const rows = phases.map(({ name, kind, from, to }) =>
    h(
      "div.phase",
      { title: `${name}: from ${formatMs(from)} to ${formatMs(to)}` },
      h("dt", {}, name),
      h(
        "dd.phase-track",
        {},
        h("span.bar", { data: { kind }, style: { left: percent(from), width: percent(to - from) } }),
        detail.response_ms !== null && h("span.client-mark", { style: { left: percent(detail.response_ms) } }),
      ),
      h("dd.phase-ms", {}, formatMs(to - from)),
    ),
  );
  const client =
    detail.response_ms === null ? "still running" : `The caller had the response after ${formatMs(detail.response_ms)}`;
  return h(
    "section.waterfall",
    { "aria-label": "Times" },
    h("dl", {}, rows),
    h(
      "p.waterfall-foot",
      {},
      h("span.client-key", { "aria-hidden": "true" }),
      client,
      detail.times.frozen !== null && ` · frozen after ${formatMs(detail.times.frozen)}`,
    ),
  );
}
