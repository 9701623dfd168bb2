// What the recorded traffic would cost a month on AWS: an estimate.

import { get } from "./api.js";
import { fill, h, icon } from "./dom.js";
import { formatMs, formatSource, HTTP_SOURCES } from "./format.js";

const MEMORY = [128, 256, 512, 1024, 1769, 2048, 3072, 4096, 6144, 8192, 10_240];
const REQUESTS = [10_000, 100_000, 1_000_000, 10_000_000, 100_000_000];
const NAMES = {
  requests: "Invocations",
  duration: "Duration",
  streaming: "Streamed responses",
  logs: "Logs",
  gateway: "Gateway",
};
const KEY = "inspector-cost";
const AFTER_INPUT_MS = 200;
const REFRESH_MS = 5000;

/** The view of the cost. */
export class CostView {
  constructor({ live }) {
    this.live = live;
    this.result = h("div.cost-result", { "aria-live": "polite" });
    this.form = h("form.cost-form", {
      "aria-label": "What the month is like",
      oninput: () => this._soon(),
      onsubmit: (event) => event.preventDefault(),
    });
    this.element = h(
      "section.cost",
      { "aria-label": "Cost" },
      h(
        "header.cost-head",
        {},
        h("h1", {}, "Cost"),
        h(
          "p.lead",
          {},
          "What a month of the traffic in this run would cost on AWS: an estimate from durations on this machine.",
        ),
      ),
      h("div.cost-body", {}, this.form, this.result),
    );
  }

  /** Show the estimate, and renew it as traffic comes. */
  show() {
    if (!this.form.firstChild && this.live.run) this._build(this.live.run);
    if (!this.form.firstChild) this.live.addEventListener("run", () => this.isShown && this.show(), { once: true });
    this.isShown = true;
    this._estimate();
  }

  /** Cease to renew it. */
  hide() {
    this.isShown = false;
    clearTimeout(this._timer);
  }

  _build(run) {
    const kept = JSON.parse(sessionStorage.getItem(KEY) ?? "{}");
    const source = run.listeners?.[0]?.source ?? "function-url";
    const field = (name, label, control) => {
      if (name in kept)
        control.type === "checkbox" ? (control.checked = Boolean(kept[name])) : (control.value = kept[name]);
      control.name = name;
      return control.type === "checkbox"
        ? h("label.check", {}, control, h("span", {}, label))
        : h("label.field", {}, h("span", {}, label), control);
    };
    const number = (value, options, id, min) => [
      h("input", { type: "number", value: String(value), min, list: id, required: true }),
      h(
        "datalist",
        { id },
        options.map((each) => h("option", { value: each })),
      ),
    ];
    const select = (options, value) =>
      h(
        "select",
        {},
        options.map(([each, label]) => h("option", { value: each, selected: each === value }, label ?? each)),
      );
    const [memory, memories] = number(run.memory_mb, MEMORY, "memory-sizes", 128);
    const [requests, months] = number(1_000_000, REQUESTS, "request-counts", 0);
    fill(
      this.form,
      field("memory_mb", "Memory, MB", memory),
      memories,
      field("requests_per_month", "Requests a month", requests),
      months,
      field("architecture", "Architecture", select([["x86_64"], ["arm64"]], "x86_64")),
      field("region", "Region", select([["us-east-1"], ["eu-central-1"]], run.region)),
      field(
        "event_source",
        "Event source",
        select(
          [...HTTP_SOURCES, "websocket", "event"].map((each) => [
            each,
            each === "event" ? "No gateway" : formatSource(each),
          ]),
          source,
        ),
      ),
      field("currency", "Currency", select([["USD"], ["EUR"]], "USD")),
      field("is_free_tier", "Deduct the free tier", h("input", { type: "checkbox" })),
    );
  }

  _values() {
    const values = Object.fromEntries(new FormData(this.form));
    return { ...values, is_free_tier: values.is_free_tier ? "1" : "" };
  }

  _soon() {
    sessionStorage.setItem(KEY, JSON.stringify(this._values()));
    clearTimeout(this._timer);
    this._timer = setTimeout(() => this._estimate(), AFTER_INPUT_MS);
  }

  async _estimate() {
    clearTimeout(this._timer);
    if (!this.form.firstChild || !this.isShown) return;
    if (this.form.checkValidity()) {
      try {
        this._show(await get("/cost", this._values()));
      } catch (error) {
        fill(this.result, h("div.problem", {}, icon("warn"), h("p", {}, error.message)));
      }
    }
    this._timer = setTimeout(() => this._estimate(), REFRESH_MS);
  }

  _show(estimate) {
    const serialized = JSON.stringify(estimate);
    if (serialized === this._shown && this.result.firstChild) return;
    this._shown = serialized;
    const money = moneyFormat(estimate.currency);
    fill(
      this.result,
      h(
        "div.total",
        {},
        h("p.total-label", {}, "Estimate for a month"),
        h("p.total-amount", {}, money(estimate.total)),
        h("p.muted", {}, `${money(estimate.per_million)} for a million requests`),
      ),
      partsTable(estimate, money),
      statistics(estimate),
      h(
        "section.cost-notes",
        {},
        h("h2", {}, "What it assumes"),
        h(
          "ul",
          {},
          estimate.notes.map((each) => h("li", {}, each)),
        ),
        h(
          "p.muted",
          {},
          `Prices of ${estimate.prices_date}. `,
          (estimate.sources ?? []).map((each) => [sourceLink(each), " "]),
        ),
      ),
    );
  }
}

function partsTable({ parts, total }, money) {
  const rows = parts.map(({ name, amount, text }) =>
    h(
      "tr",
      {},
      h("th", { scope: "row" }, NAMES[name] ?? name, h("p.muted", {}, text)),
      h(
        "td.share",
        { "aria-hidden": "true" },
        h("span.share-bar", {
          style: { width: `${total ? Math.max(amount > 0 ? 0.5 : 0, (amount / total) * 100) : 0}%` },
        }),
      ),
      h("td.number", {}, money(amount)),
    ),
  );
  return h(
    "table.parts",
    {},
    h("tbody", {}, rows),
    h("tfoot", {}, h("tr", {}, h("th", { scope: "row" }, "Total"), h("td"), h("td.number", {}, money(total)))),
  );
}

function statistics({ invocations, billed_ms: billed, cold_share: coldShare, gb_seconds: gbSeconds }) {
  const entries = [
    ["Invocations recorded", invocations.toLocaleString("en")],
    ["Billed, mean", formatMs(billed.mean)],
    ["Billed, median", formatMs(billed.p50)],
    ["Billed, 95th percentile", formatMs(billed.p95)],
    ["Cold starts", `${(coldShare * 100).toFixed(coldShare < 0.1 ? 1 : 0)} %`],
    ["GB-seconds a month", Math.round(gbSeconds).toLocaleString("en")],
  ];
  return h(
    "dl.statistics",
    {},
    entries.map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, value))),
  );
}

function sourceLink(source) {
  if (!/^https:\/\//.test(source)) return source;
  return h(
    "a",
    { href: source, target: "_blank", rel: "noreferrer" },
    new URL(source).hostname + new URL(source).pathname,
  );
}

function moneyFormat(currency) {
  const format = (digits) =>
    new Intl.NumberFormat("en", {
      style: "currency",
      currency,
      maximumFractionDigits: digits,
      minimumFractionDigits: digits,
    });
  return (amount) => format(amount > 0 && amount < 0.1 ? 4 : 2).format(amount);
}
