/**
 * The theme lives in a cookie, which the server reads to write `data-theme`
 * into the page: no flash of the other theme, and no script before the paint.
 */
const COOKIE = "maskwright_theme";
const YEAR_SECONDS = 365 * 24 * 3600;

export type Theme = "" | "light" | "dark";

/** Use a theme here and on every page to come; "" follows the system. */
export function setTheme(theme: Theme): void {
  const secure = location.protocol === "https:" ? "; Secure" : "";
  const age = theme === "" ? 0 : YEAR_SECONDS;
  document.cookie = `${COOKIE}=${theme}; Path=/; Max-Age=${age}; SameSite=Lax${secure}`;
  if (theme === "") delete document.documentElement.dataset["theme"];
  else document.documentElement.dataset["theme"] = theme;
}

/** The theme that shows, chosen or the system's. */
function shownTheme(): "light" | "dark" {
  const chosen = document.documentElement.dataset["theme"];
  if (chosen === "light" || chosen === "dark") return chosen;
  return matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
}

/** The button in the bar: the other one of light and dark. */
export function theme(button: HTMLElement): void {
  button.addEventListener("click", () => setTheme(shownTheme() === "dark" ? "light" : "dark"));
}

/** The three choices on the account page. */
export function themeChoice(root: HTMLElement): void {
  root.addEventListener("change", (event) => {
    if (event.target instanceof HTMLInputElement) setTheme(event.target.value as Theme);
  });
}
