// The summaries of the run by number, and which of them the list shows.

import { splitTitle, toneOf } from "./format.js";

const MAX_ROWS = 10_000;
/** From how many milliseconds on a response is slow. */
export const SLOW_MS = 500;

/** The invocations of the run, in the order of their numbers. Emits `change` at most once a frame. */
export class Invocations extends EventTarget {
  constructor() {
    super();
    this.byNumber = new Map();
    this.ordered = [];
    this.sources = new Set();
    this._isAnnounced = false;
    this._changed = new Set();
  }

  /** Add summaries, or replace those with the same numbers. */
  put(...summaries) {
    for (const summary of summaries) {
      const previous = this.byNumber.get(summary.number);
      // A record is complete once; a late "started" does not undo it.
      if (previous?.is_complete && !summary.is_complete) continue;
      const item = withDerived(summary);
      this.byNumber.set(item.number, item);
      this.sources.add(item.source);
      this._changed.add(item.number);
      const index = this._indexOf(item.number);
      if (this.ordered[index]?.number === item.number) this.ordered[index] = item;
      else this.ordered.splice(index, 0, item);
    }
    while (this.ordered.length > MAX_ROWS) this.byNumber.delete(this.ordered.shift().number);
    if (summaries.length) this._announce();
  }

  /** Forget everything, since another run has begun. */
  reset() {
    this.byNumber.clear();
    this.ordered = [];
    this.sources.clear();
    this._announce();
  }

  /** Return the invocations of an environment that were there in a span of seconds since the epoch, oldest first. */
  between(begin, end, environment) {
    return this.ordered.filter(
      (each) =>
        each.received <= end && each.endsAt >= begin && (environment === undefined || each.environment === environment),
    );
  }

  _indexOf(number) {
    let low = 0;
    let high = this.ordered.length;
    if (high && this.ordered[high - 1].number < number) return high;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.ordered[middle].number < number) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  _announce() {
    if (this._isAnnounced) return;
    this._isAnnounced = true;
    // A hidden tab has no frames, but its title and lists are to be right when it is looked at.
    const schedule = document.hidden ? (call) => setTimeout(call, 200) : requestAnimationFrame;
    schedule(() => {
      this._isAnnounced = false;
      const numbers = this._changed;
      this._changed = new Set();
      this.dispatchEvent(new CustomEvent("change", { detail: { numbers } }));
    });
  }
}

function withDerived(summary) {
  const { method, target } = splitTitle(summary.title);
  const startsAt = summary.received + summary.waited_ms / 1000;
  const isRunning = !summary.is_complete;
  return {
    ...summary,
    method,
    target,
    tone: toneOf(summary),
    took: summary.response_ms ?? (summary.duration_ms || null),
    startsAt,
    endsAt: isRunning ? Infinity : startsAt + summary.duration_ms / 1000,
    haystack:
      `${summary.title}\n${summary.request_id}\n${summary.status ?? ""}\n${summary.source}\n${summary.problem}\n${summary.error?.type ?? ""}`.toLowerCase(),
  };
}

/** What the list shows: text, chips, a source, and which numbers a search in the details has found. */
export class Filters extends EventTarget {
  constructor() {
    super();
    Object.assign(this, {
      text: "",
      errors: false,
      cold: false,
      slow: false,
      source: "",
      numbers: null,
      clearedUpTo: 0,
    });
  }

  /** Change some of it. */
  set(changes) {
    Object.assign(this, changes);
    this.dispatchEvent(new Event("change"));
  }

  /** Return whether anything but the clearing hides rows. */
  get isActive() {
    return Boolean(this.text || this.errors || this.cold || this.slow || this.source);
  }

  /** Return those of the invocations that are shown, the newest first. */
  select(invocations) {
    const parts = this.numbers ? [] : this.text.toLowerCase().split(/\s+/).filter(Boolean);
    const selected = [];
    for (let index = invocations.length - 1; index >= 0; index--) {
      const each = invocations[index];
      if (each.number <= this.clearedUpTo) break;
      if (this.matches(each) && parts.every((part) => each.haystack.includes(part))) selected.push(each);
    }
    return selected;
  }

  matches(each) {
    if (this.errors && each.tone !== "error" && each.tone !== "warn") return false;
    if (this.cold && !each.is_cold) return false;
    if (this.slow && !(each.took >= SLOW_MS)) return false;
    if (this.source && each.source !== this.source) return false;
    return !this.numbers || this.numbers.has(each.number);
  }
}
