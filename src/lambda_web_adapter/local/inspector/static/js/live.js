// The connection to the run: follows what happens, notices its end, and finds it again.

import { ApiError, get, streamUrl } from "./api.js";

const FIRST_RETRY_MS = 500;
const LONGEST_RETRY_MS = 4000;
// All that the list shows; a run keeps 1000 records unless it is told otherwise.
const LAST = 10_000;

/**
 * Follows the run. Emits `state` ("connecting", "live", "lost", "refused"), `run` (what is served),
 * `reset` (it is another run), and `environment`.
 */
export class Live extends EventTarget {
  constructor(invocations) {
    super();
    this.invocations = invocations;
    this.state = "connecting";
    this.run = null;
    this._retryMs = FIRST_RETRY_MS;
  }

  /** Connect, and stay connected. */
  async connect() {
    clearTimeout(this._timer);
    this._source?.close();
    try {
      const run = await get("/run");
      if (this.run && this.run.started !== run.started) {
        this.invocations.reset();
        this._emit("reset");
      }
      this.run = run;
      this._emit("run");
      this._follow();
    } catch (error) {
      if (error instanceof ApiError && (error.status === 401 || error.status === 403))
        this._change("refused", error.message);
      else this._retry();
    }
  }

  _follow() {
    const source = new EventSource(streamUrl("/invocations", { follow: 1, last: LAST }));
    this._source = source;
    source.onopen = () => {
      this._retryMs = FIRST_RETRY_MS;
      this._change("live");
    };
    // Its own retries would repeat all records and would not notice another run.
    source.onerror = () => this._retry();
    const put = (event) => this.invocations.put(JSON.parse(event.data));
    source.addEventListener("invocation", put);
    source.addEventListener("started", put);
    source.addEventListener("environment", (event) => {
      this.dispatchEvent(new CustomEvent("environment", { detail: JSON.parse(event.data) }));
    });
  }

  _retry() {
    this._source?.close();
    this._change("lost");
    clearTimeout(this._timer);
    this._timer = setTimeout(() => this.connect(), this._retryMs);
    this._retryMs = Math.min(this._retryMs * 1.6, LONGEST_RETRY_MS);
  }

  _change(state, reason = "") {
    this.reason = reason;
    if (this.state === state) return;
    this.state = state;
    this._emit("state");
  }

  _emit(name) {
    this.dispatchEvent(new Event(name));
  }
}
