// Light or dark: as the system has it, until the user chooses.

const KEY = "inspector-theme";
const system = matchMedia("(prefers-color-scheme: dark)");

/** Apply the theme that the user or the system has chosen. */
export function applyTheme() {
  document.documentElement.dataset.theme = isDark() ? "dark" : "light";
}

/** Return whether the page is dark. */
export function isDark() {
  const chosen = localStorage.getItem(KEY);
  return chosen ? chosen === "dark" : system.matches;
}

/** Switch between light and dark. What the system has is not stored, so that the page follows it. */
export function switchTheme() {
  const dark = !isDark();
  if (dark === system.matches) localStorage.removeItem(KEY);
  else localStorage.setItem(KEY, dark ? "dark" : "light");
  applyTheme();
}

system.addEventListener("change", applyTheme);
