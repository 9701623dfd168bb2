// A replay beside what it repeats: what differs in status, headers, body and times.

import { get } from "./api.js";
import { bytesOf, decodeText } from "./body.js";
import { diffHeaders, diffLines, withContext } from "./diff.js";
import { fill, h } from "./dom.js";
import { formatMs, formatSource } from "./format.js";
import { invocationHash } from "./router.js";
import { phasesOf } from "./waterfall.js";

// Headers that are others each time, or follow from the body; comparison.py has the same.
const VOLATILE = new Set([
  "age",
  "apigw-requestid",
  "connection",
  "content-length",
  "date",
  "expires",
  "server-timing",
  "x-amz-apigw-id",
  "x-amzn-remapped-date",
  "x-amzn-requestid",
  "x-amzn-trace-id",
]);

/** Return what differs between a replay and its original. */
export function compareTab(replay) {
  const place = h("section.compare", {}, h("p.muted", {}, `Reading #${replay.replay_of} …`));
  get(`/invocations/${replay.replay_of}`).then(
    (original) => fill(place, comparison(original, replay)),
    (error) => fill(place, h("p.problem", {}, error.message)),
  );
  return place;
}

function comparison(original, replay) {
  const before = responseOf(original);
  const after = responseOf(replay);
  const headers = diffHeaders(before.headers, after.headers);
  const changed = headers.filter((each) => !VOLATILE.has(each.name));
  const body = diffLines(before.text, after.text);
  const isBodyEqual = body.every(([sign]) => sign === " ");
  const isEqual = before.status === after.status && !changed.length && isBodyEqual;
  return [
    h(
      "p.verdict",
      { data: { equal: isEqual } },
      isEqual
        ? "The response is the same."
        : `The response differs in ${list([before.status !== after.status && "status", changed.length && "headers", !isBodyEqual && "body"])}.`,
    ),
    facts(original, replay, before, after),
    h("h2.part-title", {}, "Headers"),
    headersDiff(changed, headers.length - changed.length),
    h("h2.part-title", {}, "Body"),
    bodyDiff(body, isBodyEqual, before),
  ];
}

function list(names) {
  const present = names.filter(Boolean);
  return present.length < 2 ? present[0] : `${present.slice(0, -1).join(", ")} and ${present.at(-1)}`;
}

/** Return the response that the client got, or else the app's, or the reply. */
function responseOf(detail) {
  const response = detail.client_response ?? detail.response;
  const body = response ? response.body : detail.reply;
  return {
    status: detail.status ?? response?.status ?? detail.state,
    headers: response?.headers ?? [],
    text: readable(body),
  };
}

function readable(body) {
  const text = decodeText(bytesOf(body));
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}

function facts(original, replay, before, after) {
  const link = ({ number }) => h("a", { href: invocationHash(number) }, `#${number}`);
  const rows = [
    ["Status", before.status, after.status],
    ["Event source", formatSource(original.source), formatSource(replay.source)],
    ["Environment", original.environment || "none", replay.environment || "none"],
    [
      "Cold start",
      original.is_cold ? formatMs(original.init_ms) : "no",
      replay.is_cold ? formatMs(replay.init_ms) : "no",
    ],
    ["Response after", formatMs(original.response_ms), formatMs(replay.response_ms)],
    ["In the app", appTime(original), appTime(replay)],
    ["Error", original.error?.type ?? "none", replay.error?.type ?? "none"],
  ].filter(([, one, other]) => one !== "" || other !== "");
  const row = ([name, one, other]) =>
    h(
      "tr",
      { data: { differs: String(one) !== String(other) } },
      h("th", { scope: "row" }, name),
      h("td", {}, String(one)),
      h("td", {}, String(other)),
    );
  return h(
    "table.facts-table",
    {},
    h(
      "thead",
      {},
      h(
        "tr",
        {},
        h("td"),
        h("th", { scope: "col" }, "Original ", link(original)),
        h("th", { scope: "col" }, "Replay ", link(replay)),
      ),
    ),
    h("tbody", {}, rows.map(row)),
  );
}

function appTime(detail) {
  const phase = phasesOf(detail).find((each) => each.kind === "app");
  return phase ? formatMs(phase.to - phase.from) : "";
}

function headersDiff(changed, volatile) {
  const note = volatile ? h("p.muted", {}, `${volatile} that differ each time, such as the date, are left out.`) : null;
  if (!changed.length) return [h("p.missing", {}, "The same headers."), note];
  const lines = changed.flatMap(({ name, before, after }) => [
    ...before.map((value) => ["-", `${name}: ${value}`]),
    ...after.map((value) => ["+", `${name}: ${value}`]),
  ]);
  return [diffView(lines), note];
}

function bodyDiff(lines, isEqual, before) {
  if (isEqual) return h("p.missing", {}, before.text ? "The same body." : "Both have no body.");
  return diffView(withContext(lines));
}

/** Return lines of a difference. */
function diffView(lines) {
  const row = ([sign, text]) =>
    h("li", { data: { sign } }, sign === "…" ? `${text} equal lines` : h("span", {}, `${sign} ${text}`));
  return h("ol.diff.scrolls", { tabindex: "0", "aria-label": "Differences" }, lines.map(row));
}
