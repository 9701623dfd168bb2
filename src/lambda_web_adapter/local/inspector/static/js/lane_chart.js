// The lanes as SVG: time to the right, an environment in each lane, requests that waited above them.

import { fill, s } from "./dom.js";
import { formatBytes, formatClock, formatMs } from "./format.js";
import { endOf, isInSpan, joinNarrow, nameOf, reasonOfWait, segmentsOf, ticksOf, waitsOf } from "./lane_model.js";
import { invocationHash } from "./router.js";

const AXIS = 26;
const LANE = 58;
const BAR = 22;
const MEMORY = 20;
const WAIT = 8;
// Texts are drawn where there is room, in pixels for each character.
const CHARACTER = 6.4;

/** Draws lanes into an SVG element. `data` has invocations and lanes; `span` has begin, end and now. */
export class LaneChart {
  constructor() {
    this.element = s("svg.lane-chart", { role: "group", "aria-label": "Environments over time" });
  }

  /** Draw, and return how many lanes there were. */
  draw({ lanes, invocations }, { begin, end, now }, width) {
    const gutter = width < 600 ? 64 : 150;
    this.scale = { begin, end, gutter, width: Math.max(50, width - gutter - 12) };
    const shown = lanes.filter((lane) => isInSpan(lane, begin, end));
    const waits = waitsOf(invocations.between(begin, end));
    const waitRows = waits.length ? Math.max(...waits.map((each) => each.row)) + 1 : 0;
    const top = AXIS + (waitRows ? waitRows * WAIT + 24 : 6);
    const height = top + shown.length * LANE + 4;
    this.element.setAttribute("height", height);
    this.element.setAttribute("width", width);
    const focused = this.element.contains(document.activeElement) ? document.activeElement.dataset.key : null;
    fill(
      this.element,
      this._axis(height),
      waitRows ? this._waits(waits, gutter) : null,
      shown.map((lane, index) => this._lane(lane, top + index * LANE, invocations, now)),
      this._now(now, height),
    );
    if (focused) this.element.querySelector(`[data-key="${CSS.escape(focused)}"]`)?.focus({ preventScroll: true });
    return shown.length;
  }

  /** Return the moment at a distance from the left edge, in pixels. */
  momentAt(x) {
    const { begin, end, gutter, width } = this.scale;
    return begin + ((x - gutter) / width) * (end - begin);
  }

  _x(moment) {
    const { begin, end, gutter, width } = this.scale;
    return gutter + Math.max(-2, Math.min(width + 2, ((moment - begin) / (end - begin)) * width));
  }

  _axis(height) {
    const { begin, end, gutter, width } = this.scale;
    const rightmost = gutter + width - 20; // of a label's middle, so that its end is not cut off
    const { ticks, step } = ticksOf(begin, end, width / 90);
    return s(
      "g.axis",
      { "aria-hidden": "true" },
      ticks.map((at) => [
        s("line", { x1: this._x(at), x2: this._x(at), y1: AXIS - 6, y2: height }),
        s(
          "text",
          { x: Math.min(this._x(at), rightmost), y: AXIS - 11, "text-anchor": "middle" },
          formatClock(at, false) + (step < 1 ? `.${Math.floor((at % 1) * 10)}` : ""),
        ),
      ]),
    );
  }

  _now(now, height) {
    const { begin, end } = this.scale;
    if (now < begin || now > end) return null;
    return s("line.now", { x1: this._x(now), x2: this._x(now), y1: AXIS - 6, y2: height });
  }

  _waits(waits, gutter) {
    const bars = waits.map(({ invocation, from, to, row }) => {
      const text = `${invocation.title} waited ${formatMs(invocation.waited_ms)}: ${reasonOfWait(invocation, formatMs)}`;
      return this._link(
        invocation,
        `wait-${invocation.number}`,
        text,
        s("rect.part", {
          x: this._x(from),
          y: AXIS + 6 + row * WAIT,
          width: this._width(from, to),
          height: WAIT - 2,
          rx: 2,
          data: { state: "waited" },
        }),
      );
    });
    return s("g", {}, s("text.lane-name", { x: 0, y: AXIS + 14 }, gutter < 100 ? "Waited" : "Requests waiting"), bars);
  }

  _lane(lane, y, invocations, now) {
    const { begin, end, gutter, width } = this.scale;
    const segments = joinNarrow(segmentsOf(lane, begin, end, now), (end - begin) / width);
    const memory = lane.memory.filter(({ at }) => at >= begin && at <= end);
    const latest = lane.memory.at(-1);
    const name = gutter < 100 ? `Env ${lane.number}` : `Environment ${lane.number}`;
    const detail = latest ? formatBytes(latest.bytes) : "";
    return s(
      "g.lane",
      { role: "group", "aria-label": name, data: { environment: lane.number } },
      s("text.lane-name", { x: 0, y: y + 15 }, name),
      s("text.lane-detail", { x: 0, y: y + 33 }, detail),
      segments.map((segment) => this._segment(segment, lane, y, invocations)),
      this._memory(memory, y + BAR + 4),
      this._end(lane, y),
    );
  }

  _segment(segment, lane, y, invocations) {
    const { state, reason, from, to } = segment;
    const shape = s("rect.part", {
      x: this._x(from),
      y,
      width: this._width(from, to),
      height: BAR,
      rx: 3,
      data: { state },
    });
    const span = `${formatMs((to - from) * 1000)}, from ${formatClock(from)}`;
    const busy = state === "busy" || state === "init" ? invocations.between(from, to, lane.number) : [];
    const own = busy.filter((each) =>
      state === "busy" ? each.startsAt < to : Math.abs(each.startsAt - to) < 0.5 && each.is_cold,
    );
    const titles = own
      .slice(0, 5)
      .map((each) => each.title)
      .join("\n");
    const more = own.length > 5 ? `\nand ${own.length - 5} more` : "";
    const text = `${nameOf(state)}${segment.isOpen ? " now" : ""}: ${span}${reason ? `\n${reason}` : ""}${titles ? `\n${titles}${more}` : ""}`;
    const label = this._label(state === "busy" && own.length === 1 ? own[0].title : nameOf(state), from, to, y);
    if (state === "busy" && own.length) return this._link(own[0], `${lane.number}-${from}`, text, shape, label);
    return s(
      "g.tells",
      {
        data: { tip: text, key: `${lane.number}-${from}` },
        tabindex: state === "init" || reason ? "0" : null,
        role: "img",
        "aria-label": text,
      },
      shape,
      label,
    );
  }

  _label(text, from, to, y) {
    const room = Math.floor((this._width(from, to) - 10) / CHARACTER);
    if (room < 4) return null;
    const left = Math.max(this._x(from), this.scale.gutter);
    return s(
      "text.segment-label",
      { x: left + 6, y: y + 15 },
      text.length <= room ? text : `${text.slice(0, room - 1)}…`,
    );
  }

  _memory(measurements, y) {
    if (measurements.length < 2) return null;
    const most = Math.max(...measurements.map((each) => each.bytes));
    const points = measurements.map(
      ({ at, bytes }) => `${this._x(at).toFixed(1)},${(y + MEMORY - (bytes / most) * (MEMORY - 2)).toFixed(1)}`,
    );
    const tip = `Memory: up to ${formatBytes(most)}, last ${formatBytes(measurements.at(-1).bytes)}`;
    const base = [
      `${this._x(measurements[0].at).toFixed(1)},${y + MEMORY}`,
      `${this._x(measurements.at(-1).at).toFixed(1)},${y + MEMORY}`,
    ];
    return s(
      "g.tells",
      { data: { tip } },
      s("polygon.memory-area", { points: [base[0], ...points, base[1]].join(" ") }),
      s("polyline.memory-line", { points: points.join(" ") }),
    );
  }

  _end(lane, y) {
    const over = endOf(lane);
    if (!over || over.at > this.scale.end) return null;
    const x = this._x(over.at);
    const text = `Ended at ${formatClock(over.at)}: ${over.reason}`;
    const room = (this.scale.gutter + this.scale.width - x - 12) / CHARACTER;
    const label =
      room > 8
        ? s(
            "text.end-label",
            { x: x + 9, y: y + 15 },
            over.reason.length > room ? `${over.reason.slice(0, Math.floor(room) - 1)}…` : over.reason,
          )
        : null;
    return s(
      "g.tells.end",
      { data: { tip: text, key: `end-${lane.number}` }, tabindex: "0", role: "img", "aria-label": text },
      s("rect", { x: x - 1, y: y - 2, width: 3, height: BAR + 4, rx: 1 }),
      label,
    );
  }

  _link(invocation, key, text, ...shapes) {
    return s(
      "a.tells",
      { href: invocationHash(invocation.number), data: { tip: text, key, tone: invocation.tone }, "aria-label": text },
      shapes,
    );
  }

  _width(from, to) {
    return Math.max(1.5, this._x(to) - this._x(from));
  }
}
