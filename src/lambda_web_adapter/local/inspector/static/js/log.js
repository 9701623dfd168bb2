// The log lines of an invocation, with the colours that they ask for.

import { h, icon } from "./dom.js";
import { copyText } from "./overlays.js";

// ECMA-48 §8.3.117: Select Graphic Rendition; other control sequences are left out.
const SEQUENCE = /\x1b\[([\d;:]*)([@-~])|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b[@-_]/g;
const LEVELS = [
  [/\b(ERROR|CRITICAL|FATAL)\b|Traceback \(most recent call last\)/, "error"],
  [/\bWARN(ING)?\b/, "warn"],
];

/** Return the log of a detail. */
export function logTab(detail) {
  if (!detail.log.length) return h("p.missing", {}, "The invocation wrote nothing to its log.");
  const plain = detail.log.map((line) => line.replace(SEQUENCE, "")).join("\n");
  return h(
    "section.log",
    {},
    h(
      "div.body-bar",
      {},
      h("span.body-kind", {}, "stdout and stderr, in the order of their lines"),
      h(
        "button.copy.always",
        { type: "button", "aria-label": "Copy the log", title: "Copy", onclick: () => copyText(plain, "the log") },
        icon("copy"),
      ),
    ),
    h("ol.log-lines.scrolls", { tabindex: "0", "aria-label": "Log" }, detail.log.map(lineView)),
  );
}

function lineView(line) {
  const level = LEVELS.find(([pattern]) => pattern.test(line))?.[1];
  return h("li", { data: level ? { level } : {} }, ...spans(line));
}

/** Return the parts of a line as elements with classes for colour and weight. */
function spans(line) {
  const parts = [];
  let style = {};
  let from = 0;
  const add = (text) => text && parts.push(h("span", { class: classOf(style) || null }, text));
  for (const match of line.matchAll(SEQUENCE)) {
    add(line.slice(from, match.index));
    from = match.index + match[0].length;
    if (match[2] === "m") style = applyCodes(style, match[1].split(/[;:]/).map(Number));
  }
  add(line.slice(from));
  return parts;
}

function applyCodes(style, codes) {
  let next = { ...style };
  for (let index = 0; index < codes.length; index++) {
    const code = codes[index];
    if (code === 0) next = {};
    else if (code === 1) next.bold = true;
    else if (code === 2) next.dim = true;
    else if (code === 3) next.italic = true;
    else if (code === 4) next.underline = true;
    else if (code === 22) next.bold = next.dim = false;
    else if (code === 23) next.italic = false;
    else if (code === 24) next.underline = false;
    else if (code === 39) next.color = undefined;
    else if ((code >= 30 && code <= 37) || (code >= 90 && code <= 97)) next.color = code % 10;
    else if (code === 38 || code === 48) index += codes[index + 1] === 5 ? 2 : 4; // of 256 or of all: not shown
  }
  return next;
}

function classOf(style) {
  const names = ["bold", "dim", "italic", "underline"].filter((each) => style[each]).map((each) => `ansi-${each}`);
  if (style.color !== undefined) names.push(`ansi-${style.color}`);
  return names.join(" ");
}
