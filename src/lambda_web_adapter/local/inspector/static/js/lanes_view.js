// The environments over time: controls for the span, the lanes, and descriptions of their parts.

import { get } from "./api.js";
import { fill, h, setText } from "./dom.js";
import { formatClock, formatMs } from "./format.js";
import { LaneChart } from "./lane_chart.js";

const SPANS = [
  [15, "15 s"],
  [60, "1 min"],
  [300, "5 min"],
  [1800, "30 min"],
  [0, "All"],
];
const SHORTEST_S = 0.5;
const REDRAW_MS = 250;
const SLOW_REDRAW_MS = 1000;
// How often memory is read anew, and how soon after a change of an environment the lanes are.
const REFRESH_MS = 5000;
const AFTER_CHANGE_MS = 150;
const LEGEND = [
  ["waited", "waiting request"],
  ["init", "init"],
  ["busy", "busy"],
  ["idle", "idle"],
  ["frozen", "frozen"],
  ["stopping", "stopping"],
];

/** The view of the environments. */
export class LanesView {
  constructor({ invocations, live }) {
    Object.assign(this, { invocations, live });
    this.lanes = [];
    this.span = 0; // all
    this.end = null; // now
    this.chart = new LaneChart();
    this.tip = h("div.tip", { role: "tooltip" });
    this.tip.hidden = true;
    this.empty = h("div.empty");
    this.box = h("div.lanes-box", {}, this.chart.element, this.tip, this.empty);
    this.element = h(
      "section.environments",
      { "aria-label": "Environments" },
      h("h1.unseen", {}, "Environments"),
      this._controls(),
      this.box,
      legend(),
    );
    this._listen();
  }

  /** Begin to draw. */
  show() {
    this.isShown = true;
    this._isOpening = !this._isChosen;
    this._refresh();
    this._tick();
  }

  /** Cease to draw. */
  hide() {
    this.isShown = false;
    clearTimeout(this._timer);
    clearTimeout(this._refreshing);
  }

  _controls() {
    this.presets = SPANS.map(([seconds, label]) =>
      h("button.segment", { type: "button", onclick: () => this._choose(seconds), data: { seconds } }, label),
    );
    this.zoom = h("input", {
      type: "range",
      min: 0,
      max: 100,
      step: 1,
      "aria-label": "Zoom",
      oninput: () => this._zoomTo(Number(this.zoom.value)),
    });
    this.position = h("input", {
      type: "range",
      min: 0,
      max: 1000,
      step: 1,
      "aria-label": "Position in time",
      oninput: () => this._moveTo(Number(this.position.value)),
    });
    this.liveButton = h("button.chip", { type: "button", onclick: () => this._follow() }, "Follow");
    this.range = h("span.range-text");
    return h(
      "div.toolbar.lanes-toolbar",
      {},
      h("div.segments", { role: "group", "aria-label": "Last" }, this.presets),
      h("label.slider", {}, h("span", {}, "Zoom"), this.zoom),
      h("label.slider.wide", {}, h("span", {}, "Time"), this.position),
      this.liveButton,
      this.range,
    );
  }

  _listen() {
    this.live.addEventListener("environment", () => this._refreshSoon(AFTER_CHANGE_MS));
    this.live.addEventListener("reset", () => (this.lanes = []));
    this.invocations.addEventListener("change", () => this._draw());
    new ResizeObserver(() => this._draw(true)).observe(this.box);
    for (const name of ["pointermove", "focusin"]) this.box.addEventListener(name, (event) => this._tell(event));
    for (const name of ["pointerleave", "focusout"]) this.box.addEventListener(name, () => (this.tip.hidden = true));
    this.box.addEventListener("wheel", (event) => this._wheel(event), { passive: false });
    document.addEventListener("keydown", (event) => event.key === "Escape" && (this.tip.hidden = true));
  }

  async _refresh() {
    clearTimeout(this._refreshing);
    try {
      this.lanes = (await get("/environments")).environments;
    } catch {
      // `Live` shows that the run has ended.
    }
    if (!this.isShown) return;
    if (this._isOpening) this._chooseSpan();
    this._draw();
    this._refreshSoon(REFRESH_MS);
  }

  /** Choose the shortest span in which an environment, or an invocation, has done something. */
  _chooseSpan() {
    this._isOpening = false;
    if (this._isChosen) return;
    const changes = this.lanes.map((lane) => lane.changes.at(-1)?.at ?? 0);
    const age = this._now() - Math.max(this.invocations.ordered.at(-1)?.received ?? 0, ...changes);
    this.span = SPANS.find(([seconds]) => seconds > age)?.[0] ?? 0;
  }

  _refreshSoon(ms) {
    if (!this.isShown || (this._isSoon && ms !== REFRESH_MS)) return;
    clearTimeout(this._refreshing);
    this._isSoon = ms !== REFRESH_MS;
    this._refreshing = setTimeout(() => {
      this._isSoon = false;
      this._refresh();
    }, ms);
  }

  _tick() {
    if (!this.isShown) return;
    if (!document.hidden && this.end === null) this._draw();
    const isSlow = this.span > 120 || !this.span || matchMedia("(prefers-reduced-motion: reduce)").matches;
    this._timer = setTimeout(() => this._tick(), isSlow ? SLOW_REDRAW_MS : REDRAW_MS);
  }

  /** Draw, unless somebody is pointing at a part, which would move away. */
  _draw(isForced = false) {
    if (!this.isShown || (!isForced && !this.tip.hidden)) return;
    const width = this.box.clientWidth - 32;
    if (width <= 0) return;
    const now = this._now();
    const { begin, end } = this._window(now);
    const count = this.chart.draw(this, { begin, end, now }, width);
    this.empty.hidden = count > 0;
    if (!count)
      fill(
        this.empty,
        h("p.empty-title", {}, this.lanes.length ? "No environment in this span" : "No environments yet"),
        h("p", {}, this.lanes.length ? "Choose a longer one, or All." : "The first one starts with the run."),
      );
    this._updateControls(begin, end, now);
  }

  /** Return now; of a run that has ended, its last moment. */
  _now() {
    if (this.live.state === "live") this._lastLive = Date.now() / 1000;
    return this._lastLive ?? Date.now() / 1000;
  }

  _started() {
    return this.lanes[0]?.changes[0]?.at ?? this.live.run?.started ?? this._now() - 60;
  }

  _window(now) {
    const end = this.end ?? now;
    const span = this.span || Math.max(2, now - this._started()) * 1.02;
    return { begin: end - span, end };
  }

  _updateControls(begin, end, now) {
    for (const button of this.presets)
      button.setAttribute("aria-pressed", String(Number(button.dataset.seconds) === this.span));
    this.liveButton.setAttribute("aria-pressed", String(this.end === null));
    const whole = Math.max(1, now - this._started());
    if (document.activeElement !== this.zoom)
      this.zoom.value = 100 - (Math.log((end - begin) / SHORTEST_S) / Math.log(Math.max(whole, 2) / SHORTEST_S)) * 100;
    if (document.activeElement !== this.position) this.position.value = ((end - this._started()) / whole) * 1000;
    this.zoom.setAttribute("aria-valuetext", formatMs((end - begin) * 1000));
    this.position.setAttribute("aria-valuetext", `until ${formatClock(end, false)}`);
    setText(this.range, `${formatClock(begin, false)} – ${formatClock(end, false)}`);
  }

  _choose(seconds) {
    this._isChosen = true;
    this.span = seconds;
    this._follow();
  }

  _follow() {
    this.end = null;
    this._draw(true);
  }

  _zoomTo(value) {
    this._isChosen = true;
    const whole = Math.max(2, this._now() - this._started());
    this.span = SHORTEST_S * (whole / SHORTEST_S) ** (1 - value / 100);
    this._draw(true);
  }

  _moveTo(value) {
    const now = this._now();
    this.end = value >= 1000 ? null : this._started() + (value / 1000) * (now - this._started());
    this._draw(true);
  }

  /** Zoom with Ctrl and the wheel, as maps do; move by the wheel to the side, or with Shift. */
  _wheel(event) {
    const { begin, end } = this._window(this._now());
    const sideways = event.shiftKey ? event.deltaY || event.deltaX : event.deltaX;
    if (event.ctrlKey || event.metaKey) {
      const at = this.chart.momentAt(event.clientX - this.chart.element.getBoundingClientRect().left);
      const factor = Math.exp(event.deltaY / 300);
      this.span = Math.max(SHORTEST_S, (end - begin) * factor);
      this.end = Math.min(this._now(), at + (end - at) * factor);
    } else if (Math.abs(sideways) > Math.abs(event.shiftKey ? 0 : event.deltaY))
      this.end = Math.min(this._now(), end + (sideways / this.box.clientWidth) * (end - begin));
    else return;
    event.preventDefault();
    if (this.end >= this._now() - 0.01) this.end = null;
    this._draw(true);
  }

  _tell(event) {
    const part = event.target.closest?.("[data-tip]");
    this.tip.hidden = !part;
    if (!part) return;
    setText(this.tip, part.dataset.tip);
    const box = this.box.getBoundingClientRect();
    const area = part.getBoundingClientRect();
    const x = (event.type === "pointermove" ? event.clientX : Math.max(area.left, box.left)) - box.left;
    this.tip.style.left = `${Math.max(8, Math.min(x + 12, box.width - this.tip.offsetWidth - 12))}px`;
    this.tip.style.top = `${area.bottom - box.top + this.box.scrollTop + 6}px`;
  }
}

function legend() {
  return h(
    "ul.legend",
    { "aria-label": "Legend" },
    LEGEND.map(([state, label]) => h("li", {}, h("span.swatch", { data: { state } }), label)),
    h("li.legend-hint", {}, "Shift and wheel move, Ctrl and wheel zoom."),
  );
}
