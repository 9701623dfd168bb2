// A list of any length, of which only the rows in sight are elements.

import { h } from "./dom.js";

const OVERSCAN = 6;

/** Shows items with a `number`, each in a row of the same height. */
export class VirtualList {
  /**
   * @param {Object} options `label`; `create()` returns a row; `update(row, item)` shows an item in it; `id(item)`
   */
  constructor({ label, create, update }) {
    this._create = create;
    this._update = update;
    this.rowHeight = 36;
    this.items = [];
    this._rows = new Map(); // by number
    this._spare = [];
    this._space = h("div.rows-space");
    this.element = h("div.rows", { role: "listbox", "aria-label": label, tabindex: "0" }, this._space);
    this.element.addEventListener("scroll", () => this._schedule(), { passive: true });
    this._observer = new ResizeObserver(() => this._schedule());
    this._observer.observe(this.element);
  }

  /** Show these items; what is in sight stays in sight, unless that is the top. */
  setItems(items) {
    const anchor = this.element.scrollTop > 0 ? this.items[Math.floor(this.element.scrollTop / this.rowHeight)] : null;
    const before = anchor ? this.items.indexOf(anchor) : 0;
    this.items = items;
    this._space.style.height = `${items.length * this.rowHeight}px`;
    if (anchor) {
      const after = items.findIndex((each) => each.number === anchor.number);
      if (after >= 0 && after !== before) this.element.scrollTop += (after - before) * this.rowHeight;
    }
    this._render();
  }

  /** Change the height of all rows. */
  setRowHeight(height) {
    if (height === this.rowHeight) return;
    this.rowHeight = height;
    for (const row of this._rows.values()) row.dataset.top = "";
    this.setItems(this.items);
  }

  /** Show the rows in sight anew: what they show depends on more than their item. */
  refresh() {
    for (const row of this._rows.values()) row.shown = null;
    this._render();
  }

  /** Call a function with each row in sight and its item. */
  forEachRow(call) {
    for (const row of this._rows.values()) if (row.shown) call(row, row.shown);
  }

  /** Scroll until an item is in sight, if it is there. */
  reveal(number) {
    const index = this.items.findIndex((each) => each.number === number);
    if (index < 0) return;
    const top = index * this.rowHeight;
    const { scrollTop, clientHeight } = this.element;
    if (top < scrollTop) this.element.scrollTop = top;
    else if (top + this.rowHeight > scrollTop + clientHeight)
      this.element.scrollTop = top + this.rowHeight - clientHeight;
    this._render();
  }

  _schedule() {
    if (this._isScheduled) return;
    this._isScheduled = true;
    requestAnimationFrame(() => {
      this._isScheduled = false;
      this._render();
    });
  }

  _render() {
    const { scrollTop, clientHeight } = this.element;
    const first = Math.max(0, Math.floor(scrollTop / this.rowHeight) - OVERSCAN);
    const end = Math.min(this.items.length, Math.ceil((scrollTop + clientHeight) / this.rowHeight) + OVERSCAN);
    const wanted = new Set();
    for (let index = first; index < end; index++) wanted.add(this.items[index].number);
    for (const [number, row] of this._rows) if (!wanted.has(number)) this._release(number, row);
    for (let index = first; index < end; index++) this._place(this.items[index], index);
    while (this._spare.length > 40) this._spare.pop().remove();
    for (const row of this._spare) row.hidden = true;
  }

  _place(item, index) {
    let row = this._rows.get(item.number);
    if (!row) {
      row = this._spare.pop() ?? this._space.appendChild(this._create());
      row.hidden = false;
      this._rows.set(item.number, row);
    }
    const top = String(index * this.rowHeight);
    if (row.dataset.top !== top) {
      row.dataset.top = top;
      row.style.transform = `translateY(${top}px)`;
      row.setAttribute("aria-posinset", index + 1);
    }
    if (row.shown !== item) {
      row.shown = item;
      this._update(row, item);
    }
    row.setAttribute("aria-setsize", this.items.length);
  }

  _release(number, row) {
    this._rows.delete(number);
    row.shown = null;
    this._spare.push(row);
  }
}
