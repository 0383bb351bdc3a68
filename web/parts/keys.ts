/** Single keys as commands, but not while one types, and none twice: the `p` of `g p` is no `p` of a screen. */
import { useEffect, useRef } from "react";

/** By `KeyboardEvent.key`; returning false lets the browser have it. */
export type Keys = Readonly<Record<string, (event: KeyboardEvent) => unknown>>;

export function useKeys(keys: Keys): void {
  const latest = useRef(keys);
  useEffect(() => {
    latest.current = keys;
  });
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (event.defaultPrevented || isTyping(event.target)) return;
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      if (document.querySelector("dialog[open]") !== null) return;
      const key = latest.current[event.key];
      if (key !== undefined && key(event) !== false) event.preventDefault();
    };
    window.addEventListener("keydown", onKey);
    return () => window.removeEventListener("keydown", onKey);
  }, []);
}

function isTyping(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLElement &&
    (target.isContentEditable || ["INPUT", "TEXTAREA", "SELECT"].includes(target.tagName))
  );
}
