// The detail of an invocation: what it was, where its time went, and tabs with the rest.

import { get } from "./api.js";
import { compareTab } from "./compare.js";
import { fill, h, icon } from "./dom.js";
import { flowTab } from "./flow.js";
import {
  formatAge,
  formatBytes,
  formatClock,
  formatMs,
  formatSource,
  outcomeOf,
  toneOf,
  splitTitle,
} from "./format.js";
import { importsTab } from "./imports.js";
import { logTab } from "./log.js";
import { copyText } from "./overlays.js";
import { replayTab } from "./replay.js";
import { go, invocationHash } from "./router.js";
import { snippetMenu } from "./snippets.js";
import { waterfall } from "./waterfall.js";

// Tabs with something of the user's.
const KEPT = new Set(["replay", "imports"]);
// How many details that were opened are shown when the run has ended.
const MAX_OPENED = 100;

const NOT_OPENED = "This invocation was not opened, so that its details are gone. --record FILE keeps them.";

/** Shows one invocation at a time. */
export class DetailView {
  constructor({ invocations, live }) {
    Object.assign(this, { invocations, live });
    this.number = null;
    this.tab = "flow";
    this.showsSecrets = false;
    this.opened = new Map(); // by number, with their secrets masked
    live.addEventListener("reset", () => this.opened.clear());
    this.element = h("section.detail", { "aria-label": "Invocation" });
    invocations.addEventListener(
      "change",
      ({ detail }) => this.number !== null && detail.numbers.has(this.number) && this._load(),
    );
  }

  /** Show an invocation, or none. */
  show(number, tab = "flow") {
    const isSame = this.number === number;
    Object.assign(this, { number, tab });
    if (number === null) return fill(this.element, emptyDetail());
    if (isSame && this.detail) return this._render();
    this.detail = null;
    this.showsSecrets = false;
    this.element.scrollTop = 0;
    return this._load();
  }

  async _load() {
    const { number, showsSecrets } = this;
    let detail;
    try {
      detail = await get(`/invocations/${number}`, { secrets: showsSecrets ? 1 : "" });
    } catch (error) {
      if (number !== this.number || this.detail) return;
      const text = error.status ? error.message : `${error.message} ${NOT_OPENED}`;
      detail = error.status ? null : this.opened.get(number);
      if (!detail) return fill(this.element, this._head(null), h("p.problem", {}, text));
    }
    this._keep(detail);
    if (number !== this.number) return;
    const isSame = this.detail && JSON.stringify(this.detail) === JSON.stringify(detail);
    this.detail = detail;
    if (!isSame) this._render(true);
  }

  _keep(detail) {
    if (!detail.is_masked) return;
    this.opened.delete(detail.number);
    this.opened.set(detail.number, detail);
    if (this.opened.size > MAX_OPENED) this.opened.delete(this.opened.keys().next().value);
  }

  /** Show the detail; if it is only renewed, a panel with what the user has typed or measured stays. */
  _render(isRenewed = false) {
    const { detail } = this;
    const tabs = this._tabs(detail);
    const [tab, , build] = tabs.find(([name]) => name === this.tab) ?? tabs[0];
    const key = `${detail.number}/${tab}`;
    if (!isRenewed || this._panelKey !== key || !KEPT.has(tab)) {
      this._panel = h("div.panel", { role: "tabpanel", "aria-label": tab }, build(detail));
      this._panelKey = key;
    }
    fill(this.element, this._head(detail), problems(detail), waterfall(detail), this._tabBar(tabs), this._panel);
  }

  _tabs(detail) {
    const toggle = () => this._toggleSecrets();
    return [
      ["flow", "Messages", () => flowTab(detail, { toggleSecrets: toggle })],
      ["log", detail.log.length ? `Log ${detail.log.length}` : "Log", () => logTab(detail)],
      ["replay", "Replay", () => replayTab(detail)],
      detail.replay_of && ["compare", "Compare", () => compareTab(detail)],
      detail.is_cold && ["imports", "Imports", () => importsTab()],
    ].filter(Boolean);
  }

  _tabBar(tabs) {
    const active = tabs.some(([name]) => name === this.tab) ? this.tab : "flow";
    const links = tabs.map(([name, label]) =>
      h(
        "a",
        {
          href: invocationHash(this.number, name),
          role: "tab",
          "aria-selected": String(name === active),
          data: { tab: name },
        },
        label,
      ),
    );
    const step = (event) => {
      const offset = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      if (!offset) return;
      const next = links[(links.indexOf(event.target) + offset + links.length) % links.length];
      go(next.getAttribute("href"), true);
      this.element.querySelector("[role=tab][aria-selected=true]")?.focus();
    };
    return h("div.tabs", { role: "tablist", onkeydown: step }, links);
  }

  _head(detail) {
    const close = h(
      "a.tool.close",
      { href: "#/invocations", "aria-label": "Close", title: "Close (Esc)" },
      icon("back", ""),
      icon("close"),
    );
    if (!detail)
      return h("header.detail-head", {}, h("div.head-line", {}, h("h1", {}, `Invocation ${this.number}`), close));
    const { method, target } = splitTitle(detail.title);
    return h(
      "header.detail-head",
      {},
      h(
        "div.head-line",
        {},
        h("span.badge.large", { data: { tone: toneOf(detail) } }, outcomeOf(detail)),
        h("h1", {}, method && h("span.method", {}, method), h("span.target", {}, target)),
        h(
          "span.actions",
          {},
          h(
            "a.button.primary",
            { href: invocationHash(this.number, "replay"), title: "Replay (r)" },
            icon("replay"),
            "Replay …",
          ),
          snippetMenu(detail),
        ),
        close,
      ),
      facts(detail),
    );
  }

  _toggleSecrets() {
    this.showsSecrets = !this.showsSecrets;
    this._load();
  }
}

function emptyDetail() {
  return h(
    "div.empty",
    {},
    h("p.empty-title", {}, "No invocation chosen"),
    h("p", {}, "Choose one in the list, or press ", h("kbd", {}, "j"), " and ", h("kbd", {}, "k"), "."),
  );
}

function facts(detail) {
  const id = detail.request_id;
  const entries = [
    [formatSource(detail.source)],
    [`#${detail.number}`, "The record's number"],
    [
      `${formatClock(detail.received)} · ${formatAge(detail.received)}${formatAge(detail.received) === "now" ? "" : " ago"}`,
      new Date(detail.received * 1000).toString(),
    ],
    [detail.response_ms === null ? "" : formatMs(detail.response_ms), "Until the caller had all of the response"],
    [detail.environment ? `environment ${detail.environment}` : "no environment"],
    [detail.is_cold ? `cold start ${formatMs(detail.init_ms)}` : "", "How long the init took"],
    [detail.memory_bytes ? formatBytes(detail.memory_bytes) : "", "The most memory of the environment"],
    [detail.is_streamed ? "streamed" : ""],
    [detail.tenant_id ? `tenant ${detail.tenant_id}` : ""],
  ];
  const items = entries.filter(([text]) => text).map(([text, title]) => h("li", { title }, text));
  if (detail.replay_of)
    items.push(h("li", {}, h("a", { href: invocationHash(detail.replay_of) }, `replay of #${detail.replay_of}`)));
  if (id)
    items.push(
      h(
        "li",
        {},
        h(
          "button.link.mono",
          { type: "button", title: "Copy the request id", onclick: () => copyText(id, "the request id") },
          id,
        ),
      ),
    );
  return h("ul.facts", {}, items);
}

/** Return what went wrong, if anything. */
function problems(detail) {
  const { error, problem } = detail;
  if (!error && !problem) return adapterProblem(detail);
  const stack = error?.stack?.length
    ? h("details", {}, h("summary", {}, "Stack trace"), h("pre.scrolls", { tabindex: "0" }, error.stack.join("\n")))
    : null;
  return h(
    "div.problem",
    { role: "note" },
    icon("warn"),
    h(
      "div",
      {},
      h("strong", {}, error ? error.type : "Problem"),
      h("p", {}, error ? error.message : problem),
      error && problem && h("p.muted", {}, problem),
      stack,
    ),
  );
}

/** Return what the notes say of an error reply that the adapter made because the app sent none. */
function adapterProblem({ notes, status }) {
  const note = status >= 500 && notes?.find((each) => each.step === "reply" && each.name === "status");
  if (!note) return null;
  return h(
    "div.problem",
    { role: "note" },
    icon("warn"),
    h("div", {}, h("p", {}, note.text.replaceAll("`", "")), note.after && h("p.muted", {}, note.after)),
  );
}
