// Values as people read them.

/** Return a length of time, in ms: "0.42 ms", "12.3 ms", "340 ms", "2.35 s", "4 min 10 s". */
export function formatMs(ms) {
  if (ms === null || ms === undefined) return "";
  if (ms < 10) return `${ms.toFixed(2)} ms`;
  if (ms < 100) return `${ms.toFixed(1)} ms`;
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 10_000) return `${(ms / 1000).toFixed(2)} s`;
  if (ms < 60_000) return `${(ms / 1000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1000);
  return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}

/** Return a number of bytes: "0 B", "12.3 KB". */
export function formatBytes(count) {
  if (count < 1024) return `${count} B`;
  if (count < 1024 ** 2) return `${(count / 1024).toFixed(1)} KB`;
  return `${(count / 1024 ** 2).toFixed(1)} MB`;
}

/** Return how long ago a moment was, in seconds since the epoch: "now", "12 s", "5 min", "2 h". */
export function formatAge(moment, now = Date.now() / 1000) {
  const seconds = Math.max(0, now - moment);
  if (seconds < 2) return "now";
  if (seconds < 60) return `${Math.floor(seconds)} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)} h`;
  return `${Math.floor(seconds / 86_400)} d`;
}

/** Return the time of day, with ms: "14:03:22.120". */
export function formatClock(moment, withMs = true) {
  const date = new Date(moment * 1000);
  const parts = [date.getHours(), date.getMinutes(), date.getSeconds()].map((each) => String(each).padStart(2, "0"));
  return parts.join(":") + (withMs ? `.${String(date.getMilliseconds()).padStart(3, "0")}` : "");
}

/** Return a count with its noun: "1 request", "3 requests". */
export function formatCount(count, noun) {
  return `${count.toLocaleString("en")} ${noun}${count === 1 ? "" : "s"}`;
}

const SOURCES = {
  "function-url": "Function URL",
  "http-api-v2": "HTTP API 2.0",
  "http-api-v1": "HTTP API 1.0",
  "rest-api": "REST API",
  alb: "ALB",
  "alb-multi": "ALB multi-value",
  "vpc-lattice-v1": "VPC Lattice v1",
  "vpc-lattice-v2": "VPC Lattice v2",
  websocket: "WebSocket API",
  event: "Event",
};
/** The event sources that can stand before a request. */
export const HTTP_SOURCES = Object.keys(SOURCES).slice(0, 8);

/** Return the name of an event source. */
export function formatSource(source) {
  return SOURCES[source] ?? source;
}

/** Return method and target of a title; what is no request has no method. */
export function splitTitle(title) {
  const match = /^([A-Z]{2,10}) (.+)$/s.exec(title);
  return match ? { method: match[1], target: match[2] } : { method: "", target: title };
}

/** Return a tone for a summary: "running", "error" (the function failed, 5xx), "warn" (4xx), "ok". */
export function toneOf(summary) {
  if (!summary.is_complete) return "running";
  if (summary.state === "failed" || summary.status >= 500) return "error";
  // A gateway's own response may be none of an error, such as that to a preflight.
  if (summary.state === "rejected" && summary.status === null) return "error";
  return summary.status >= 400 ? "warn" : "ok";
}

/** Return the short outcome of a summary, for a badge. */
export function outcomeOf(summary) {
  if (!summary.is_complete) return "…";
  return String(summary.status ?? (summary.state === "succeeded" ? "OK" : "ERR"));
}
