// Doing it again: as it was, edited, from another event source, several times at once, in a cold environment.

import { get, post } from "./api.js";
import { bytesOf, decodeText } from "./body.js";
import { fill, h, icon } from "./dom.js";
import { formatMs, formatSource, HTTP_SOURCES, outcomeOf, toneOf } from "./format.js";
import { previewView } from "./preview.js";
import { go, invocationHash } from "./router.js";

const MAX_TIMES = 100;
const KINDS = [
  ["again", "As it was"],
  ["request", "Edit the request"],
  ["event", "Edit the event"],
];

/** Return the form of a replay. */
export function replayTab(detail) {
  const form = new ReplayForm(detail);
  return form.element;
}

class ReplayForm {
  constructor(detail) {
    this.detail = detail;
    this.kind = "again";
    this.isRequest = Boolean(detail.client_request) || HTTP_SOURCES.includes(detail.source) || Boolean(detail.request);
    const kinds = KINDS.filter(([kind]) => this.isRequest || kind !== "request");
    this.buttons = kinds.map(([kind, label]) =>
      h("button.segment", { type: "button", data: { kind }, onclick: () => this._choose(kind) }, label),
    );
    this.editor = h("div.editor");
    this.preview = h("div.preview", { "aria-live": "polite" });
    this.result = h("div.replay-result", { role: "status" });
    this.element = h(
      "form.replay",
      { onsubmit: (event) => (event.preventDefault(), this._run()) },
      h("div.segments", { role: "group", "aria-label": "What to send" }, this.buttons),
      this.editor,
      this._options(),
      this.preview,
      this.result,
    );
    this._choose("again");
  }

  _options() {
    const sources = HTTP_SOURCES.map((each) => h("option", { value: each }, formatSource(each)));
    this.source = h(
      "select",
      { name: "event_source", onchange: () => this._showPreview() },
      h("option", { value: "" }, `As it was (${formatSource(this.detail.source)})`),
      sources,
    );
    this.times = h("input", { type: "number", name: "times", min: 1, max: MAX_TIMES, value: "1", required: true });
    this.cold = h("input", { type: "checkbox", name: "cold" });
    this.submit = h("button.button.primary", { type: "submit" }, icon("replay"), "Replay");
    this.sourceField = h("label.field", {}, h("span", {}, "Event source"), this.source);
    return h(
      "div.replay-options",
      {},
      this.sourceField,
      h("label.field.short", {}, h("span", {}, "Times at once"), this.times),
      h("label.check", {}, this.cold, h("span", {}, "After a cold start")),
      this.submit,
    );
  }

  async _choose(kind) {
    this.kind = kind;
    for (const button of this.buttons) button.setAttribute("aria-pressed", String(button.dataset.kind === kind));
    this.sourceField.hidden = kind === "event" || !this.isRequest;
    fill(this.preview);
    if (kind === "again") {
      fill(
        this.editor,
        h("p.lead", {}, this.isRequest ? "The same request, with a new id and the time of now." : "The same event."),
      );
      return this._showPreview();
    }
    // What is sent has to have the secrets.
    try {
      const detail = await get(`/invocations/${this.detail.number}`, { secrets: 1 });
      if (this.kind === kind) this._showEditor(kind, detail);
    } catch (error) {
      fill(this.editor, h("p.problem", {}, error.message));
    }
    return undefined;
  }

  _showEditor(kind, detail) {
    const note = h("p.muted", {}, "Secrets are shown here, since they are sent.");
    if (kind === "event") {
      this.event = h("textarea.code.tall", {
        name: "event",
        rows: 18,
        spellcheck: "false",
        "aria-label": "Event",
        value: pretty(decodeText(bytesOf(detail.event))),
      });
      return fill(this.editor, h("label.field", {}, h("span", {}, "Event (JSON)"), this.event), note);
    }
    const request = detail.client_request ?? detail.request;
    this.body = request.body;
    const isText = request.body.encoding === "text";
    this.method = h("input.code", {
      name: "method",
      list: "methods",
      value: request.method,
      required: true,
      autocomplete: "off",
    });
    this.target = h("input.code", {
      name: "target",
      value: request.target,
      required: true,
      spellcheck: "false",
      autocomplete: "off",
    });
    this.headers = h("textarea.code", {
      name: "headers",
      rows: Math.min(12, request.headers.length + 1),
      spellcheck: "false",
      value: request.headers.map(([name, value]) => `${name}: ${value}`).join("\n"),
    });
    this.text = h("textarea.code", {
      name: "body",
      rows: 6,
      spellcheck: "false",
      value: isText ? request.body.data : "",
      placeholder: isText
        ? ""
        : `${request.body.size} bytes that are no text are sent as they are. Type to replace them.`,
    });
    return fill(
      this.editor,
      h(
        "div.request-line",
        {},
        h("label.field.short", {}, h("span", {}, "Method"), this.method),
        h("label.field", {}, h("span", {}, "Path and query"), this.target),
      ),
      h("label.field", {}, h("span", {}, "Headers, one a line"), this.headers),
      h("label.field", {}, h("span", {}, "Body"), this.text),
      note,
      request.body.is_truncated && h("p.truncated", {}, icon("warn"), "Only the beginning of the body was kept."),
    );
  }

  async _showPreview() {
    const source = this.source.value;
    fill(this.preview);
    if (!source || this.kind !== "again") return;
    try {
      const secrets = this.detail.is_masked ? "" : 1;
      const preview = await get(`/invocations/${this.detail.number}/as/${source}`, { secrets });
      if (this.source.value === source) fill(this.preview, previewView(preview, source));
    } catch (error) {
      fill(this.preview, h("p.problem", {}, error.message));
    }
  }

  _optionsToSend() {
    const options = { times: Number(this.times.value), cold: this.cold.checked };
    if (this.kind === "event") return { ...options, event: JSON.parse(this.event.value) };
    if (this.source.value) options.event_source = this.source.value;
    if (this.kind === "request") options.request = this._editedRequest();
    return options;
  }

  _editedRequest() {
    const lines = this.headers.value.split("\n").filter((line) => line.trim());
    const headers = lines.map((line) => {
      const colon = line.indexOf(":");
      if (colon < 1)
        throw new SyntaxError(`Each line of the headers has a name, a colon and a value, but one is: ${line}`);
      return [line.slice(0, colon).trim(), line.slice(colon + 1).trim()];
    });
    const data = this.text.value;
    const isKept = this.body.encoding === "base64" && !data;
    const body = isKept ? this.body : { size: new TextEncoder().encode(data).length, encoding: "text", data };
    return {
      method: this.method.value.trim(),
      target: this.target.value.trim(),
      headers: withLength(headers, body.size),
      body,
    };
  }

  async _run() {
    this.submit.disabled = true;
    fill(this.result, h("p.muted", {}, "Running …"));
    try {
      const { numbers } = await post(`/invocations/${this.detail.number}/replay`, this._optionsToSend());
      if (numbers.length === 1) return go(invocationHash(numbers[0], "compare"));
      fill(this.result, await resultsTable(numbers));
    } catch (error) {
      fill(this.result, h("div.problem", { role: "alert" }, icon("warn"), h("p", {}, error.message)));
    } finally {
      this.submit.disabled = false;
    }
    return undefined;
  }
}

/** Return headers with the length of the body that is sent. */
function withLength(headers, size) {
  return headers.map(([name, value]) =>
    name.toLowerCase() === "content-length" ? [name, String(size)] : [name, value],
  );
}

function pretty(text) {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}

async function resultsTable(numbers) {
  const details = await Promise.all(numbers.map((number) => get(`/invocations/${number}`).catch(() => null)));
  const rows = details
    .filter(Boolean)
    .map((each) =>
      h(
        "tr",
        {},
        h("td", {}, h("a", { href: invocationHash(each.number, "compare") }, `#${each.number}`)),
        h("td", {}, h("span.badge", { data: { tone: toneOf(each) } }, outcomeOf(each))),
        h("td.number", {}, formatMs(each.response_ms ?? each.duration_ms)),
        h("td", {}, `environment ${each.environment}${each.is_cold ? `, cold start ${formatMs(each.init_ms)}` : ""}`),
      ),
    );
  return h(
    "table.results",
    {},
    h("caption", {}, `${numbers.length} replays; each number leads to a comparison.`),
    h("tbody", {}, rows),
  );
}
