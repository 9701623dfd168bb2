// The frame of the page: what is served, the views, the connection, the theme.

import { fill, h, icon, s, setText } from "./dom.js";
import { showKeys } from "./keys.js";
import { isDark, switchTheme } from "./theme.js";

const VIEWS = [
  ["invocations", "Invocations", "list"],
  ["environments", "Environments", "lanes"],
  ["cost", "Cost", "cost"],
];
const STATES = { connecting: "Connecting", live: "Live", lost: "Run ended", refused: "No access" };

/** The header, and the place of the view. */
export class Frame {
  constructor(live) {
    this.live = live;
    this.links = VIEWS.map(([view, label, name]) =>
      h("a", { href: `#/${view}`, data: { view } }, icon(name), h("span", {}, label)),
    );
    this.title = h("span.served");
    this.state = h("span.connection", { role: "status" });
    this.banner = h("div.banner", { role: "alert" });
    this.main = h("main", { id: "main" });
    this.theme = h("button.tool", { type: "button", onclick: () => this.switchTheme() });
    const keys = h(
      "button.tool.keys-button",
      { type: "button", "aria-label": "Keys", title: "Keys (?)", onclick: showKeys },
      icon("keys"),
    );
    this.element = h(
      "div.frame",
      {},
      h(
        "header.top",
        {},
        h("a.brand", { href: "#/invocations", "aria-label": "Inspector" }, logo(), h("span", {}, "Inspector")),
        this.title,
        h("nav", { "aria-label": "Views" }, this.links),
        h("span.top-end", {}, this.state, keys, this.theme),
      ),
      this.banner,
      this.main,
    );
    live.addEventListener("state", () => this._update());
    live.addEventListener("run", () => this._update());
    this._update();
    this._updateTheme();
  }

  /** Show a view. */
  show(view, element) {
    for (const link of this.links) {
      if (link.dataset.view === view) link.setAttribute("aria-current", "page");
      else link.removeAttribute("aria-current");
    }
    if (this.main.firstChild !== element) fill(this.main, element);
  }

  switchTheme() {
    switchTheme();
    this._updateTheme();
  }

  _update() {
    const { state, run } = this.live;
    this.state.dataset.state = state;
    setText(this.state, STATES[state]);
    setText(this.title, run?.title ?? "");
    this.title.title = run?.title ?? "";
    document.title = run?.title ? `${run.title} · Inspector` : "Inspector";
    this.banner.hidden = state !== "lost";
    setText(
      this.banner,
      state === "lost"
        ? "The run has ended. The list stays; details that were not opened are gone. --record FILE keeps them. The page connects as soon as a run is back."
        : "",
    );
  }

  _updateTheme() {
    const label = isDark() ? "Light" : "Dark";
    fill(this.theme, icon(isDark() ? "sun" : "moon"));
    this.theme.setAttribute("aria-label", label);
    this.theme.title = `${label} (t)`;
  }
}

function logo() {
  return s(
    "svg.logo",
    { viewBox: "0 0 32 32", "aria-hidden": "true" },
    s("rect", { width: 32, height: 32, rx: 8 }),
    s("path", { d: "M8 10h9M8 16h16M8 22h6" }),
    s("circle", { cx: 22, cy: 10, r: 2 }),
  );
}
