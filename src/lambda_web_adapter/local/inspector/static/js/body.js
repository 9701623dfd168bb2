// A body as text, JSON, an image, or bytes; the choice is remembered for each kind of content.

import { fill, h, icon } from "./dom.js";
import { formatBytes } from "./format.js";
import { copyText } from "./overlays.js";
import { treeView } from "./tree.js";

const CHOICE = "inspector-body";
// What is shown of a text or of bytes at first: more would make the page slow.
const TEXT_CHARACTERS = 100_000;
const HEX_BYTES = 4096;
const LABELS = { text: "Text", json: "JSON", image: "Image", hex: "Bytes" };
// No SVG: as an image it is safe, but its text says more.
const IMAGES = /^image\/(png|jpeg|gif|webp|avif|bmp|x-icon|vnd\.microsoft\.icon|svg\+xml)\b/i;

/** Return the bytes of a body of the API. */
export function bytesOf(body) {
  if (body.raw) return body.raw;
  if (body.encoding === "base64") return Uint8Array.from(atob(body.data), (each) => each.charCodeAt(0));
  return new TextEncoder().encode(body.data);
}

/** Return bytes as text; what is not UTF-8 becomes U+FFFD. */
export function decodeText(bytes) {
  return new TextDecoder().decode(bytes);
}

/** Return a view of a body with a choice of how. */
export function bodyView(body, contentType, coding = "") {
  const bytes = bytesOf(body);
  const kind = contentType.split(";")[0].trim().toLowerCase() || "unknown";
  const modes = modesOf(bytes, kind, coding);
  const choices = JSON.parse(localStorage.getItem(CHOICE) ?? "{}");
  const place = h("div.body-content");
  const buttons = Object.keys(modes).map((mode) =>
    h("button.segment", { type: "button", onclick: () => choose(mode, true), data: { mode } }, LABELS[mode]),
  );

  function choose(mode, isRemembered = false) {
    if (isRemembered) localStorage.setItem(CHOICE, JSON.stringify({ ...choices, [kind]: mode }));
    for (const button of buttons) button.setAttribute("aria-pressed", String(button.dataset.mode === mode));
    fill(place, modes[mode]());
  }

  choose(choices[kind] in modes ? choices[kind] : Object.keys(modes)[0]);
  const copy = () => copyText(decodeText(bytes), "the body");
  return h(
    "div.body-view",
    {},
    h(
      "div.body-bar",
      {},
      h(
        "span.body-kind",
        {},
        [kind === "unknown" ? "body" : kind, coding, formatBytes(body.size)].filter(Boolean).join(" · "),
      ),
      h("div.segments", { role: "group", "aria-label": "Show the body as" }, buttons),
      h(
        "button.copy.always",
        { type: "button", "aria-label": "Copy the body", title: "Copy", onclick: copy },
        icon("copy"),
      ),
    ),
    body.is_truncated && h("p.truncated", {}, icon("warn"), `Only the first ${formatBytes(bytes.length)} were kept.`),
    place,
  );
}

/** Return how a body can be shown, the best way first. */
function modesOf(bytes, kind, coding) {
  const modes = {};
  const isCoded = coding && coding !== "identity";
  if (!isCoded) {
    const json = parseJson(bytes, kind);
    if (json !== undefined) modes.json = () => treeView(json, {});
    if (IMAGES.test(kind)) modes.image = () => image(bytes, kind);
  }
  const text = () => textView(bytes);
  const hex = () => hexView(bytes);
  return isCoded || isBinary(bytes) ? { ...modes, hex, text } : { ...modes, text, hex };
}

function parseJson(bytes, kind) {
  const first = bytes.find((each) => each > 32);
  // A number or a string is JSON as well, but nothing to unfold.
  if (first !== 0x7b && first !== 0x5b && !/json/.test(kind)) return undefined;
  try {
    const parsed = JSON.parse(decodeText(bytes));
    return typeof parsed === "object" && parsed !== null ? parsed : undefined;
  } catch {
    return undefined;
  }
}

function isBinary(bytes) {
  const beginning = bytes.subarray(0, 2000);
  return (
    beginning.some((each) => each < 9) || decodeText(beginning.subarray(0, beginning.length - 4)).includes("\ufffd")
  );
}

function textView(bytes) {
  const text = decodeText(bytes);
  const view = h("pre.text.scrolls", { tabindex: "0" }, text.slice(0, TEXT_CHARACTERS));
  if (text.length <= TEXT_CHARACTERS) return view;
  const more = h(
    "button.button",
    { type: "button", onclick: () => (view.append(text.slice(TEXT_CHARACTERS)), more.remove()) },
    `Show all ${text.length.toLocaleString("en")} characters`,
  );
  return [view, more];
}

function image(bytes, kind) {
  const url = URL.createObjectURL(new Blob([bytes], { type: kind }));
  const size = h("figcaption.muted");
  const view = h("img", { src: url, alt: "The body as an image" });
  view.onload = () => {
    size.textContent = `${view.naturalWidth} × ${view.naturalHeight}`;
    URL.revokeObjectURL(url);
  };
  view.onerror = () => {
    size.textContent = "The browser cannot show this image.";
    view.remove();
  };
  return h("figure.image", {}, view, size);
}

/** Return bytes as hexadecimal numbers with their characters, 16 a line. */
function hexView(bytes) {
  const lines = [];
  for (let offset = 0; offset < Math.min(bytes.length, HEX_BYTES); offset += 16) {
    const part = [...bytes.subarray(offset, offset + 16)];
    const numbers = part
      .map((each) => each.toString(16).padStart(2, "0"))
      .join(" ")
      .padEnd(47);
    const characters = part.map((each) => (each > 31 && each < 127 ? String.fromCharCode(each) : "·")).join("");
    lines.push(`${offset.toString(16).padStart(6, "0")}  ${numbers}  ${characters}`);
  }
  const rest =
    bytes.length > HEX_BYTES ? h("p.muted", {}, `… and ${formatBytes(bytes.length - HEX_BYTES)} more`) : null;
  return [h("pre.text.hex.scrolls", { tabindex: "0" }, lines.join("\n")), rest];
}
