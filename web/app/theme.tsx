/** Light, dark, or as the system has it; kept in this browser. */
import { useState } from "react";

const KEY = "theme";
const NEXT = { system: "light", light: "dark", dark: "system" } as const;
type Theme = keyof typeof NEXT;

export function ThemeSwitch() {
  const [theme, setTheme] = useState<Theme>(() => show(stored()));
  return (
    <button type="button" onClick={() => setTheme(show(NEXT[theme]))}>
      Theme: {theme}
    </button>
  );
}

function stored(): Theme {
  const value = localStorage.getItem(KEY);
  return value === "light" || value === "dark" ? value : "system";
}

function show(theme: Theme): Theme {
  if (theme === "system") delete document.documentElement.dataset["theme"];
  else document.documentElement.dataset["theme"] = theme;
  localStorage.setItem(KEY, theme);
  return theme;
}
