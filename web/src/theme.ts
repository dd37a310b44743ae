// Light or dark: as the system says until somebody chooses. The choice is the only thing that is kept across visits here.
import { createStore, useStore } from "./store.ts";

export type Theme = "light" | "dark";

const KEY = "guardianeye:theme";
const dark = window.matchMedia("(prefers-color-scheme: dark)");

function chosen(): Theme | null {
  try {
    const theme = localStorage.getItem(KEY);
    return theme === "light" || theme === "dark" ? theme : null;
  } catch {
    return null;
  }
}

const current = (): Theme => chosen() ?? (dark.matches ? "dark" : "light");
const store = createStore<Theme>(current());

export function applyTheme() {
  const theme = current();
  document.documentElement.dataset["theme"] = theme;
  if (theme !== store.get()) store.set(theme);
}

dark.addEventListener("change", applyTheme);

export function useTheme(): [Theme, (theme: Theme) => void] {
  const choose = (theme: Theme) => {
    try {
      localStorage.setItem(KEY, theme);
    } catch {
      // Without storage the choice holds until the page is left.
    }
    document.documentElement.dataset["theme"] = theme;
    store.set(theme);
  };
  return [useStore(store), choose];
}
