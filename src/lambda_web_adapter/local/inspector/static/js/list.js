// The list of invocations, with its search and filters.

import { get } from "./api.js";
import { fill, h, icon, setText } from "./dom.js";
import { formatCount, formatSource } from "./format.js";
import { createRow, tickRow, updateRow } from "./row.js";
import { SLOW_MS } from "./store.js";
import { VirtualList } from "./virtual_list.js";

// From this width on a row is one line; the heights are those of list.css.
const WIDE_PX = 720;
const LINE_PX = 36;
const TWO_LINES_PX = 56;

/** The list. `open(number)` is called with the number of a row that is chosen. */
export class ListView {
  constructor({ invocations, filters, live, open }) {
    Object.assign(this, { invocations, filters, live, open });
    this.selected = null;
    this.isHeld = false; // whether the selected row stays in sight, whatever comes
    this.isPaused = false;
    this.list = new VirtualList({
      label: "Invocations",
      create: createRow,
      update: (row, item) => this._show(row, item),
    });
    this.list.element.addEventListener("click", (event) => this._click(event));
    for (const name of ["wheel", "pointerdown", "keydown"])
      this.list.element.addEventListener(name, () => (this.isHeld = false), { passive: true });
    this.empty = h("div.empty");
    this.body = h("div.list-body", {}, this.list.element, this.empty);
    this.element = h(
      "section.list",
      { "aria-label": "Invocations" },
      h("h1.unseen", {}, "Invocations"),
      this._toolbar(),
      this.body,
    );
    new ResizeObserver(([{ contentRect }]) => this._fit(contentRect.width)).observe(this.element);
    invocations.addEventListener("change", () => this._update());
    filters.addEventListener("change", () => this._update(true));
    live.addEventListener("run", () => this._update());
    setInterval(() => document.hidden || this.list.forEachRow(tickRow), 1000);
    this._update();
  }

  /** Mark the row of an invocation. */
  select(number) {
    this.selected = number;
    // What a link names may come only after the rows that follow it.
    this.isHeld = number !== null && !this.invocations.byNumber.has(number);
    this.list.refresh();
    if (number === null) this.list.element.removeAttribute("aria-activedescendant");
    else {
      this.list.reveal(number);
      this.list.element.setAttribute("aria-activedescendant", `row-${number}`);
    }
  }

  /** Open the row below (1) or above (-1) the selected one. */
  move(step) {
    const { items } = this.list;
    if (!items.length) return;
    const index = items.findIndex((each) => each.number === this.selected);
    const next = index < 0 ? 0 : Math.min(items.length - 1, Math.max(0, index + step));
    this.select(items[next].number);
    return items[next].number;
  }

  /** Put the cursor into the search field. */
  focusSearch() {
    this.search.focus();
    this.search.select();
  }

  _toolbar() {
    this.search = h("input", {
      type: "search",
      placeholder: "Path, status, request id",
      "aria-label": "Search",
      autocomplete: "off",
      spellcheck: "false",
      "aria-keyshortcuts": "/",
      oninput: () => this.filters.set({ text: this.search.value.trim(), numbers: null }),
      onkeydown: (event) => event.key === "Enter" && this._searchDetails(),
    });
    this.deep = h(
      "button.chip.deep",
      { type: "button", title: "Search log lines and errors, too (Enter)", onclick: () => this._searchDetails() },
      "in logs",
    );
    this.deep.hidden = true;
    const chips = [
      this._chip("errors", "Errors", "4xx, 5xx and failed invocations"),
      this._chip("cold", "Cold", "Those that waited for an init"),
      this._chip("slow", "Slow", `From ${SLOW_MS} ms on`),
    ];
    this.source = h("select.chip", {
      "aria-label": "Event source",
      onchange: () => this.filters.set({ source: this.source.value }),
    });
    this.count = h("span.count", { role: "status" });
    this.pause = h("button.tool", { type: "button", onclick: () => this._togglePause() });
    const clear = h(
      "button.tool",
      { type: "button", title: "Hide what is there", onclick: () => this._clear() },
      icon("clear"),
      h("span", {}, "Clear"),
    );
    this._updatePause();
    return h(
      "div.toolbar",
      {},
      h("label.search", {}, icon("search"), this.search, h("kbd", { "aria-hidden": "true" }, "/")),
      h("div.chips", { role: "group", "aria-label": "Filters" }, this.deep, chips, this.source),
      h("div.tools", {}, this.count, this.pause, clear),
    );
  }

  _chip(name, label, title) {
    const button = h("button.chip", { type: "button", title, "aria-pressed": "false", data: { filter: name } }, label);
    button.addEventListener("click", () => {
      this.filters.set({ [name]: !this.filters[name] });
      button.setAttribute("aria-pressed", String(this.filters[name]));
    });
    return button;
  }

  async _searchDetails() {
    const text = this.search.value.trim();
    if (!text) return;
    this.deep.disabled = true;
    try {
      const { invocations } = await get("/invocations", { search: text, last: 10_000 });
      this.filters.set({ numbers: new Set(invocations.map((each) => each.number)) });
    } finally {
      this.deep.disabled = false;
    }
  }

  _togglePause() {
    this.isPaused = !this.isPaused;
    this._pausedAt = this.invocations.ordered.at(-1)?.number ?? 0;
    this._updatePause();
    if (!this.isPaused) this._update();
  }

  _updatePause() {
    const fresh = this.isPaused ? (this.invocations.ordered.at(-1)?.number ?? 0) - this._pausedAt : 0;
    const label = this.isPaused ? (fresh > 0 ? `Resume, ${fresh} new` : "Resume") : "Pause";
    fill(this.pause, icon(this.isPaused ? "play" : "pause"), h("span", {}, label));
    this.pause.setAttribute("aria-label", label);
    this.pause.classList.toggle("on", this.isPaused);
  }

  _clear() {
    this.filters.set({ clearedUpTo: this.invocations.ordered.at(-1)?.number ?? 0 });
  }

  _update(isFilter = false) {
    this._updateSources();
    if (this.isPaused && !isFilter) return this._updatePause();
    const items = this.filters.select(this.invocations.ordered);
    this.list.setItems(items);
    this.deep.hidden = !this.filters.text;
    this.deep.setAttribute("aria-pressed", String(Boolean(this.filters.numbers)));
    const total = this.invocations.ordered.length;
    setText(this.count, this.filters.isActive ? `${items.length} of ${total}` : formatCount(items.length, "request"));
    this.list.element.hidden = !items.length;
    this.empty.hidden = items.length > 0;
    if (!items.length) fill(this.empty, this._emptyState(total));
    if (this.isHeld) this.list.reveal(this.selected);
  }

  _updateSources() {
    if (this.source.options.length === this.invocations.sources.size + 1) return;
    const options = [...this.invocations.sources]
      .sort()
      .map((each) => h("option", { value: each }, formatSource(each)));
    fill(this.source, h("option", { value: "" }, "All sources"), options);
    this.source.value = this.filters.source;
    this.source.hidden = this.invocations.sources.size < 2;
  }

  _emptyState(total) {
    if (this.filters.isActive) {
      const reset = () => this.resetFilters();
      return [
        h("p.empty-title", {}, "Nothing matches"),
        h("p", {}, "No invocation matches these filters."),
        h("button.button", { type: "button", onclick: reset }, "Show all"),
      ];
    }
    const url = this.live.run?.listeners?.[0]?.url;
    const link = /^https?:\/\//.test(url ?? "")
      ? h("a", { href: url, target: "_blank", rel: "noreferrer" }, url)
      : "the app";
    const title = total ? "Cleared" : "No requests yet";
    return [h("p.empty-title", {}, title), h("p", {}, "Open ", link, ", and each request appears here.")];
  }

  /** Show all invocations again. */
  resetFilters() {
    this.search.value = "";
    for (const chip of this.element.querySelectorAll("[data-filter]")) chip.setAttribute("aria-pressed", "false");
    this.filters.set({ text: "", errors: false, cold: false, slow: false, source: "", numbers: null });
    this.source.value = "";
  }

  _show(row, item) {
    updateRow(row, item);
    row.setAttribute("aria-selected", String(item.number === this.selected));
  }

  _click(event) {
    const row = event.target.closest(".row");
    if (row) this.open(Number(row.dataset.number));
  }

  _fit(width) {
    const isWide = width >= WIDE_PX;
    this.element.classList.toggle("wide", isWide);
    this.list.setRowHeight(isWide ? LINE_PX : TWO_LINES_PX);
    if (this.selected !== null) this.list.reveal(this.selected);
  }
}
