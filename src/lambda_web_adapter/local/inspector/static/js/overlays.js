// What lies above the page: dialogs, menus and short notices.

import { h, icon } from "./dom.js";

/** Show a dialog; Esc, the cross and a click beside it close it. Return it. */
export function openDialog(title, ...content) {
  const close = h(
    "button.tool",
    { type: "button", "aria-label": "Close", onclick: () => dialog.close() },
    icon("close"),
  );
  const dialog = h(
    "dialog.dialog",
    { "aria-label": title, onclose: () => dialog.remove() },
    h("header.dialog-head", {}, h("h2", {}, title), close),
    h("div.dialog-body", {}, content),
  );
  dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
  document.body.append(dialog);
  dialog.showModal();
  return dialog;
}

let notices;

/** Show a notice for some seconds; `action` is a button in it: {label, run}. */
export function notify(text, { isError = false, action = null } = {}) {
  notices ??= document.body.appendChild(h("div.notices", { role: "status", "aria-live": "polite" }));
  const notice = h("div.notice", { class: isError ? "notice error" : "notice" }, h("span", {}, text));
  const remove = () => notice.remove();
  if (action) {
    const run = () => {
      remove();
      action.run();
    };
    notice.append(h("button.link", { type: "button", onclick: run }, action.label));
  }
  notices.append(notice);
  setTimeout(remove, isError ? 9000 : 5000);
}

/** Return a button that opens a menu of [label, action] below it. */
export function menuButton(label, ...entries) {
  const menu = h(
    "div.menu",
    { role: "menu" },
    entries.map(([text, run]) =>
      h(
        "button",
        {
          type: "button",
          role: "menuitem",
          onclick: () => {
            hide();
            run();
          },
        },
        text,
      ),
    ),
  );
  const button = h(
    "button.button",
    { type: "button", "aria-haspopup": "menu", "aria-expanded": "false" },
    label,
    icon("chevron"),
  );
  const box = h("div.menu-box", {}, button, menu);
  menu.hidden = true;
  const isOutside = (event) => box.contains(event.target) || hide();
  function hide() {
    menu.hidden = true;
    button.setAttribute("aria-expanded", "false");
    document.removeEventListener("click", isOutside, true);
  }
  button.addEventListener("click", () => {
    if (!menu.hidden) return hide();
    menu.hidden = false;
    button.setAttribute("aria-expanded", "true");
    document.addEventListener("click", isOutside, true);
    menu.firstChild.focus();
  });
  box.addEventListener("keydown", (event) => {
    const items = [...menu.children];
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (event.key === "Escape" && !menu.hidden) {
      event.stopPropagation();
      hide();
      button.focus();
    } else if (step && !menu.hidden) {
      event.preventDefault();
      items[(items.indexOf(document.activeElement) + step + items.length) % items.length].focus();
    }
  });
  return box;
}

/** Copy a text, and say so. Return whether it was copied. */
export async function copyText(text, what) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    notify("The browser did not allow copying.", { isError: true });
    return false;
  }
  notify(`Copied ${what}.`);
  return true;
}
