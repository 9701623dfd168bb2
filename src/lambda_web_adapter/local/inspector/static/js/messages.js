// One message: its first line, headers and body, or its JSON; and what the notes explain of it.

import { bodyView, bytesOf, decodeText } from "./body.js";
import { h, icon } from "./dom.js";
import { copyText } from "./overlays.js";
import { treeView } from "./tree.js";

// Where events and replies have what notes name, in lower case.
const MEMBERS = new Map([
  ["method", ["method", "httpmethod"]],
  ["path", ["rawpath", "raw_path", "path"]],
  ["query", ["rawquerystring", "querystringparameters", "multivaluequerystringparameters", "query_string_parameters"]],
  ["headers", ["headers", "multivalueheaders"]],
  ["status", ["statuscode"]],
  ["set-cookie", ["cookies", "set-cookie"]],
  ["cookie", ["cookies", "cookie"]],
]);
const DOCS = "https://github.com/lambda-web-adapter/lambda-web-adapter/blob/main/docs/";
const KINDS = { added: "added", dropped: "dropped", changed: "changed", recoded: "re-coded", lost: "lost" };

/** Return what a column shows of a message. */
export function messageColumn(key, message, notes) {
  if (key === "event" || key === "reply") return documentView(message, notes);
  const placed = new Set();
  const line = key.endsWith("request")
    ? [h("span.method", {}, message.method), " ", h("span.target", {}, message.target)]
    : [h("span.status", {}, String(message.status))];
  return [
    firstLine(line, notes, key, placed),
    headersTable(message.headers, notes, placed),
    bodyPart(message, notes, placed),
    remaining(notes, placed),
  ];
}

function firstLine(content, notes, key, placed) {
  const names = key.endsWith("request") ? ["method", "path", "query", "target"] : ["status"];
  return h(
    "div.first-line",
    {},
    h("code", {}, content),
    place(notes, placed, (note) => names.includes(note.name)),
  );
}

function headersTable(headers, notes, placed) {
  const rows = headers.map(([name, value]) => {
    const own = notes.filter((note) => !placed.has(note) && isHeader(note, name));
    own.forEach((note) => placed.add(note));
    const row = h(
      "tr",
      { class: own.length ? "noted" : null, data: own.length ? { kind: own[0].kind } : {} },
      h("th", { scope: "row" }, name),
      h("td", {}, h("span.value", {}, value), copyButton(value, name)),
    );
    return own.length ? [row, h("tr.note-row", {}, h("td", { colspan: 2 }, own.map(noteView)))] : row;
  });
  if (!rows.length) return h("p.missing", {}, "No headers.");
  return h("table.headers", {}, h("tbody", {}, rows));
}

function isHeader(note, name) {
  const noted = note.name.toLowerCase();
  return noted === name.toLowerCase() || (noted === "cookies" && /^(set-)?cookie$/i.test(name));
}

function bodyPart({ body, headers }, notes, placed) {
  const about = place(notes, placed, (note) => note.name === "body");
  if (!body.size) return [h("p.missing", {}, "No body."), about];
  const type = headers.find(([name]) => name.toLowerCase() === "content-type")?.[1] ?? "";
  const coding = headers.find(([name]) => name.toLowerCase() === "content-encoding")?.[1] ?? "";
  return h("section.body-part", {}, about, bodyView(body, type, coding));
}

/** Return an event or a reply as a tree, with the body in it decoded below. */
function documentView(document, notes) {
  const bytes = bytesOf(document);
  const placed = new Set();
  let parsed;
  try {
    parsed = JSON.parse(decodeText(bytes).split("\0\0\0\0\0\0\0\0")[0]);
  } catch {
    return [remaining(notes, placed), bodyView(document, "")];
  }
  const marks = new Map();
  for (const note of notes) {
    for (const key of MEMBERS.get(note.name) ?? [note.name.toLowerCase()])
      marks.set(key, [...(marks.get(key) ?? []), note]);
  }
  const tree = treeView(parsed, { marks, noteView, placed });
  return [document.is_truncated && truncated(document), tree, remaining(notes, placed), innerBody(parsed, bytes)];
}

function innerBody(parsed, bytes) {
  const prelude = findSeparator(bytes);
  const headers = Object.fromEntries(
    Object.entries({ ...parsed?.multiValueHeaders, ...parsed?.headers }).map(([name, value]) => [
      name.toLowerCase(),
      String(value),
    ]),
  );
  const type = headers["content-type"] ?? "";
  const coding = headers["content-encoding"] ?? "";
  let body = null;
  if (prelude >= 0) body = { size: bytes.length - prelude - 8, raw: bytes.subarray(prelude + 8) };
  else if (parsed?.isBase64Encoded && typeof parsed.body === "string") body = fromBase64(parsed.body);
  if (!body?.size) return null;
  const title = prelude >= 0 ? "Streamed body" : "Body, decoded from base64";
  return h("section.body-part", {}, h("h3", {}, title), bodyView(body, type, coding));
}

function fromBase64(text) {
  try {
    const raw = Uint8Array.from(atob(text), (each) => each.charCodeAt(0));
    return { size: raw.length, raw };
  } catch {
    return null;
  }
}

function findSeparator(bytes) {
  let zeros = 0;
  for (let index = 0; index < bytes.length; index++) {
    zeros = bytes[index] === 0 ? zeros + 1 : 0;
    if (zeros === 8) return index - 7;
  }
  return -1;
}

function truncated({ size }) {
  return h("p.truncated", {}, icon("warn"), `Only the beginning was kept of ${size.toLocaleString("en")} bytes.`);
}

function place(notes, placed, belongs) {
  const own = notes.filter((note) => !placed.has(note) && belongs(note));
  own.forEach((note) => placed.add(note));
  return own.length ? h("div.notes", {}, own.map(noteView)) : null;
}

/** Return the notes that no line shows: what was dropped or lost is in no line. */
export function remaining(notes, placed) {
  const rest = notes.filter((note) => !placed.has(note));
  if (!rest.length) return null;
  const isGone = ({ kind }) => kind === "dropped" || kind === "lost";
  const group = (title, notesOfGroup) =>
    notesOfGroup.length > 0 && [
      h("h3", {}, title),
      h(
        "div.notes",
        {},
        notesOfGroup.map((note) => noteView(note, true)),
      ),
    ];
  return h(
    "section.notes-rest",
    {},
    group("No longer here", rest.filter(isGone)),
    group(
      "Also",
      rest.filter((note) => !isGone(note)),
    ),
  );
}

/** Return a note: what happened, to what, and why. */
export function noteView(note, withName = false) {
  // Where it was added, the line above has it.
  const change = note.before || (note.after && (withName === true || note.kind !== "added"));
  return h(
    "div.note",
    { data: { kind: note.kind } },
    h("span.note-kind", {}, KINDS[note.kind] ?? note.kind),
    withName === true && h("code.note-name", {}, note.name),
    h("span.note-text", {}, richText(note.text), helpLink(note.help)),
    change &&
      note.before !== note.after &&
      h(
        "div.change",
        {},
        note.before && h("del", {}, note.before),
        note.before && note.after && icon("arrow"),
        note.after && h("ins", {}, note.after),
      ),
  );
}

function helpLink(help) {
  if (!/^[\w-]+\.md(#[\w-]+)?$/.test(help ?? "")) return null;
  return [" ", h("a", { href: DOCS + help, target: "_blank", rel: "noreferrer" }, "Why?")];
}

/** Return a sentence whose `code` is marked as such. */
function richText(text) {
  return text.split("`").map((part, index) => (index % 2 ? h("code", {}, part) : part));
}

function copyButton(value, name) {
  return h(
    "button.copy",
    { type: "button", "aria-label": `Copy ${name}`, title: "Copy", onclick: () => copyText(value, name) },
    icon("copy"),
  );
}
