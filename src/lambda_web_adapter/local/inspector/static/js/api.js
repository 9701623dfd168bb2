// The inspector's API: the token, requests, and the stream of what happens.

const TOKEN = "inspector-token";

/** A response of the API with an error status, or none at all (status 0). */
export class ApiError extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

/** Keep the token of the address (`#token=…`), remove it from there, and return whether there is one. */
export function adoptToken() {
  const match = /^#token=([\w.~-]+)/.exec(location.hash);
  if (match) {
    sessionStorage.setItem(TOKEN, match[1]);
    history.replaceState(null, "", `${location.pathname}#/invocations`);
  }
  return Boolean(sessionStorage.getItem(TOKEN));
}

/** Forget a token that the API has refused. */
export function forgetToken() {
  sessionStorage.removeItem(TOKEN);
}

/** Return the JSON of a GET. */
export function get(path, parameters = {}) {
  return request("GET", withParameters(path, parameters));
}

/** Return the JSON of a POST. */
export function post(path, body = {}) {
  return request("POST", path, JSON.stringify(body));
}

/** Return the address of a stream of server-sent events. */
export function streamUrl(path, parameters) {
  return `api${withParameters(path, { ...parameters, token: sessionStorage.getItem(TOKEN) ?? "" })}`;
}

async function request(method, path, body) {
  const headers = { Authorization: `Bearer ${sessionStorage.getItem(TOKEN) ?? ""}` };
  if (body !== undefined) headers["Content-Type"] = "application/json";
  let response;
  try {
    response = await fetch(`api${path}`, { method, body, headers });
  } catch {
    throw new ApiError(0, "The run has ended.");
  }
  if (response.ok) return response.json();
  const problem = await response.json().catch(() => ({}));
  const detail = typeof problem.message === "string" ? problem.message : `${response.status} ${response.statusText}`;
  throw new ApiError(response.status, detail);
}

function withParameters(path, parameters) {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) {
    if (value !== undefined && value !== null && value !== "") query.set(name, value);
  }
  return query.size ? `${path}?${query}` : path;
}
