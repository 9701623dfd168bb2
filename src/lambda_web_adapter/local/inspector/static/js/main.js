// Starts the page: puts the parts together, and shows what the address names.

import { adoptToken, forgetToken } from "./api.js";
import { CostView } from "./cost.js";
import { DetailView } from "./detail.js";
import { fill, h, icon } from "./dom.js";
import { Frame } from "./frame.js";
import { listen, showKeys } from "./keys.js";
import { LanesView } from "./lanes_view.js";
import { ListView } from "./list.js";
import { Live } from "./live.js";
import { go, invocationHash, parseRoute } from "./router.js";
import { Filters, Invocations } from "./store.js";
import { applyTheme } from "./theme.js";

/** Show that the page needs the address that the run printed. */
function showNoToken(reason) {
  // Who pastes the URL into this tab changes only what follows `#`.
  window.addEventListener("hashchange", () => location.reload());
  const text = "Open the URL that the local run printed: it has the key to this page.";
  fill(
    document.body,
    h(
      "main.no-token",
      {},
      h(
        "div",
        {},
        icon("warn"),
        h("h1", {}, text),
        reason && h("p.problem", {}, reason),
        h("pre", {}, "Inspector: http://127.0.0.1:8001/#token=…"),
        h("p.muted", {}, "lambda-web-adapter logs --url prints it as well."),
      ),
    ),
  );
}

function start() {
  const invocations = new Invocations();
  const filters = new Filters();
  const live = new Live(invocations);
  const frame = new Frame(live);
  const list = new ListView({ invocations, filters, live, open: (number) => go(invocationHash(number)) });
  const detail = new DetailView({ invocations, live });
  const split = h("div.split", {}, list.element, detail.element);
  const views = { environments: new LanesView({ invocations, live }), cost: new CostView({ invocations, live }) };
  live.addEventListener("reset", () => filters.set({ clearedUpTo: 0, numbers: null }));
  live.addEventListener("state", () => {
    if (live.state !== "refused") return;
    forgetToken();
    showNoToken(live.reason);
  });

  let current = null;
  function show() {
    const route = parseRoute(location.hash);
    const view = views[route.view];
    if (current !== view) current?.hide();
    current = view ?? null;
    frame.show(route.view, view ? view.element : split);
    if (view) return view.show();
    const isOpen = route.number !== null;
    split.classList.toggle("open", isOpen);
    list.select(route.number);
    detail.show(route.number, route.tab);
  }

  const move = (step) => () => {
    if (current) return false;
    const number = list.move(step);
    if (number) go(invocationHash(number, detail.tab === "log" ? "log" : undefined), true);
  };
  listen({
    "/": () => {
      go("#/invocations");
      list.focusSearch();
    },
    j: move(1),
    ArrowDown: move(1),
    k: move(-1),
    ArrowUp: move(-1),
    Enter: () => (list.selected ? go(invocationHash(list.selected)) : move(1)()),
    Escape: () => (detail.number === null ? false : go("#/invocations")),
    r: () => (detail.number === null ? false : go(invocationHash(detail.number, "replay"))),
    t: () => frame.switchTheme(),
    "?": showKeys,
    1: () => go("#/invocations"),
    2: () => go("#/environments"),
    3: () => go("#/cost"),
  });
  fill(document.body, frame.element);
  window.addEventListener("hashchange", () => (adoptToken(), show()));
  show();
  live.connect();
}

applyTheme();
if (adoptToken()) start();
else showNoToken("");
