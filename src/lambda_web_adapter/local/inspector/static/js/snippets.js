// An invocation as something to paste: a command, a program, an event, a test.

import { get } from "./api.js";
import { h, icon } from "./dom.js";
import { copyText, menuButton, notify, openDialog } from "./overlays.js";

const KINDS = [
  ["curl", "curl"],
  ["httpx", "httpx (Python)"],
  ["event", "Event as JSON"],
  ["pytest", "pytest test"],
];

/** Return a button with a menu of snippets. */
export function snippetMenu(detail) {
  return menuButton(
    [icon("copy"), "Copy as"],
    ...KINDS.map(([kind, label]) => [label, () => showSnippet(detail.number, kind, label, false)]),
  );
}

async function showSnippet(number, kind, label, withSecrets) {
  let snippet;
  try {
    snippet = await get(`/invocations/${number}/snippet/${kind}`, { secrets: withSecrets ? 1 : "" });
  } catch (error) {
    return notify(error.message, { isError: true });
  }
  copyText(snippet.text, label);
  const url = URL.createObjectURL(new Blob([snippet.text], { type: "text/plain" }));
  const dialog = openDialog(
    `#${number} as ${label}`,
    h("pre.text.snippet.scrolls", { tabindex: "0", data: { snippet: kind } }, snippet.text),
    h(
      "div.form-actions",
      {},
      h(
        "button.button.primary",
        { type: "button", onclick: () => copyText(snippet.text, label) },
        icon("copy"),
        "Copy",
      ),
      snippet.filename && h("a.button", { href: url, download: snippet.filename }, icon("download"), snippet.filename),
      !withSecrets &&
        h(
          "button.button.quiet",
          { type: "button", onclick: () => (dialog.close(), showSnippet(number, kind, label, true)) },
          icon("eye"),
          "With secrets",
        ),
    ),
  );
  dialog.addEventListener("close", () => URL.revokeObjectURL(url));
  return dialog;
}
