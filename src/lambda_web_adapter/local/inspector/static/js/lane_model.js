// What to draw of the environments in a span of time: pure, in seconds since the epoch.

// A request that waited for less has not waited, in ms.
const WAITED_MS = 5;
const IN_WORDS = { init: "Init", idle: "Idle", busy: "Busy", frozen: "Frozen", stopping: "Stopping", ended: "Ended" };

/** Return the name of a state. */
export function nameOf(state) {
  return IN_WORDS[state] ?? state;
}

/** Return the parts of a lane in a span: {state, reason, from, to, isOpen}; those without end go on until `now`. */
export function segmentsOf(lane, begin, end, now) {
  const { changes } = lane;
  const segments = [];
  changes.forEach(({ at, state, reason }, index) => {
    if (state === "ended") return;
    const next = changes[index + 1];
    const to = next ? next.at : now;
    if (to < begin || at > end) return;
    segments.push({ state, reason, from: at, to, isOpen: !next });
  });
  return segments;
}

/** Return why and when a lane ended: {at, reason}; null if it goes on. */
export function endOf(lane) {
  const last = lane.changes.at(-1);
  if (last?.state !== "ended") return null;
  const stopping = lane.changes.at(-2);
  return { at: last.at, reason: last.reason || (stopping?.state === "stopping" ? stopping.reason : "") || "ended" };
}

/** Return whether any part of a lane is in a span. */
export function isInSpan(lane, begin, end) {
  const first = lane.changes[0];
  const over = endOf(lane);
  return Boolean(first) && first.at <= end && (!over || over.at >= begin);
}

/**
 * Join parts that would be narrower than a pixel with their neighbours, so that a long span stays quick to draw.
 * Of those that share a pixel, the most important one gives the colour.
 */
export function joinNarrow(segments, secondsPerPixel) {
  const rank = ["frozen", "idle", "stopping", "init", "busy"];
  const joined = [];
  for (const segment of segments) {
    const previous = joined.at(-1);
    const isNarrow = segment.to - segment.from < secondsPerPixel;
    if (isNarrow && previous?.isJoined && segment.to - previous.from < 2 * secondsPerPixel) {
      previous.to = segment.to;
      previous.isOpen = segment.isOpen;
      if (rank.indexOf(segment.state) > rank.indexOf(previous.state))
        Object.assign(previous, { state: segment.state, reason: segment.reason });
    } else joined.push({ ...segment, isJoined: isNarrow });
  }
  return joined;
}

/** Return the invocations that waited, as {invocation, from, to, row}: those that overlap are in different rows. */
export function waitsOf(invocations, maxRows = 4) {
  const ends = [];
  const waits = [];
  for (const each of [...invocations].sort((one, other) => one.received - other.received)) {
    if (each.waited_ms < WAITED_MS) continue;
    let row = ends.findIndex((end) => end <= each.received);
    if (row < 0) row = ends.length < maxRows ? ends.length : maxRows - 1;
    ends[row] = each.startsAt;
    waits.push({ invocation: each, from: each.received, to: each.startsAt, row });
  }
  return waits;
}

/** Return why an invocation waited. */
export function reasonOfWait({ is_cold: isCold, environment, init_ms: initMs }, formatMs) {
  if (isCold) return `cold start: the init of environment ${environment} took ${formatMs(initMs)}`;
  return environment ? `environment ${environment} was the first to become free` : "no environment was free";
}

/** Return moments for the axis: about `count` round ones in a span. */
export function ticksOf(begin, end, count) {
  const steps = [0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14_400, 28_800];
  const step = steps.find((each) => (end - begin) / each <= count) ?? 86_400;
  const ticks = [];
  for (let at = Math.ceil(begin / step) * step; at <= end; at += step) ticks.push(at);
  return { ticks, step };
}
