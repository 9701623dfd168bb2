// Client → event → request → response → reply → client: the messages side by side, and what changed between them.

import { fill, h, icon } from "./dom.js";
import { formatBytes } from "./format.js";
import { messageColumn, remaining } from "./messages.js";

// How wide a column has to be to be read, in pixels.
const COLUMN_PX = 400;
const CHOSEN = "inspector-step";

/** The steps: key of the detail, title, subtitle, and the step of the notes about what arrives there. */
const STEPS = [
  {
    key: "client_request",
    title: "Client",
    subtitle: "sends",
    step: null,
    missing: "It came without a gateway: through the Invoke API, or as an event of a service.",
  },
  {
    key: "event",
    title: "Event",
    subtitle: "to Lambda",
    step: "event",
    missing: "The gateway made no event of the request.",
  },
  {
    key: "request",
    title: "App",
    subtitle: "gets",
    step: "request",
    missing:
      "Nothing is known of a request to the app: it got none, or the environment ended before the adapter reported it.",
  },
  {
    key: "response",
    title: "App",
    subtitle: "returns",
    step: null,
    missing: "The app sent no response, or the environment ended before the adapter reported it.",
  },
  { key: "reply", title: "Reply", subtitle: "to Lambda", step: "reply", missing: "There is no reply." },
  {
    key: "client_response",
    title: "Client",
    subtitle: "gets",
    step: "response",
    missing: "No gateway waited for the reply, or it is not complete.",
  },
];

/** Return the messages of a detail. */
export function flowTab(detail, { toggleSecrets }) {
  const notes = detail.notes ?? [];
  const columns = h("div.columns");
  const buttons = STEPS.map((step, index) => stepButton(step, detail, notes, () => choose(index)));
  // What no gateway sent begins with the event.
  const firstPresent = Math.max(0, STEPS.findIndex(({ key }) => present(detail, key)));
  let chosen = Math.max(firstPresent, Number(sessionStorage.getItem(CHOSEN) ?? 0));
  let count = 1;

  function choose(index) {
    chosen = index;
    sessionStorage.setItem(CHOSEN, index);
    show();
  }

  function show() {
    const first = Math.max(0, Math.min(chosen, STEPS.length - count));
    buttons.forEach((button, index) =>
      button.setAttribute("aria-pressed", String(index >= first && index < first + count)),
    );
    columns.style.setProperty("--columns", count);
    fill(
      columns,
      STEPS.slice(first, first + count).map((step) => column(step, detail, notes)),
    );
  }

  new ResizeObserver(([{ contentRect }]) => {
    const fitting = Math.max(1, Math.min(STEPS.length, Math.floor(contentRect.width / COLUMN_PX)));
    if (fitting === count && columns.firstChild) return;
    count = fitting;
    show();
  }).observe(columns);
  return h(
    "div.flow",
    {},
    h(
      "div.steps-line",
      {},
      h("div.steps", { role: "group", "aria-label": "Messages" }, buttons),
      secretsButton(detail, toggleSecrets),
    ),
    columns,
  );
}

function stepButton({ key, title, subtitle, step }, detail, notes, onclick) {
  const count = step ? notes.filter((each) => each.step === step).length : 0;
  const label = count
    ? h("span.note-count", { title: `${count} differences to the message before` }, String(count))
    : null;
  return h(
    "button.step",
    { type: "button", onclick, data: { step: key }, class: present(detail, key) ? "step" : "step absent" },
    h("span.step-title", {}, title, label),
    h("span.step-subtitle", {}, subtitle),
  );
}

function secretsButton(detail, toggle) {
  return h(
    "button.button.quiet.secrets",
    {
      type: "button",
      title: detail.is_masked ? "Secrets are masked as ***" : "Secrets are shown",
      onclick: toggle,
      "aria-pressed": String(!detail.is_masked),
    },
    icon("eye"),
    detail.is_masked ? "Show secrets" : "Mask secrets",
  );
}

function present(detail, key) {
  const value = detail[key];
  return Boolean(value) && !((key === "event" || key === "reply") && value.size === 0);
}

function column({ key, title, subtitle, step, missing }, detail, notes) {
  const own = step ? notes.filter((each) => each.step === step) : [];
  const head = h(
    "header.column-head",
    {},
    h("h2", {}, title),
    h("span.muted", {}, subtitle),
    present(detail, key) && h("span.size", {}, sizeOf(detail[key])),
  );
  const content = present(detail, key)
    ? messageColumn(key, detail[key], own)
    : [h("p.missing", {}, missing), remaining(own, new Set())];
  return h("article.column", { data: { column: key }, "aria-label": `${title}: ${subtitle}` }, head, content);
}

function sizeOf(message) {
  return formatBytes(message.size ?? message.body?.size ?? 0);
}
