// Which view the address names: #/invocations/12/replay, #/environments, #/cost.

/** Return the view, the number and the tab that an address names. */
export function parseRoute(hash) {
  const [view, number, tab] = hash.replace(/^#\/?/, "").split("/");
  if (view === "environments" || view === "cost") return { view };
  return { view: "invocations", number: /^\d{1,9}$/.test(number ?? "") ? Number(number) : null, tab: tab || "flow" };
}

/** Return the address of an invocation. */
export function invocationHash(number, tab) {
  return `#/invocations/${number}${tab && tab !== "flow" ? `/${tab}` : ""}`;
}

/** Go to an address; `replace` leaves no step in the history. */
export function go(hash, replace = false) {
  if (location.hash === hash) return;
  if (replace) {
    history.replaceState(null, "", hash);
    window.dispatchEvent(new HashChangeEvent("hashchange"));
  } else location.hash = hash;
}
