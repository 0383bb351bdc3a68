/**
 * Texts that are being written, kept by this tab until they are saved: to look at another screen loses nothing, and to
 * leave the page is asked for first.
 *
 * @module
 */
import { useEffect, useSyncExternalStore } from "react";

export interface Draft {
  readonly place: string;
  readonly text: string;
  /** The text that is saved; empty where there is none yet. */
  readonly saved: string;
  /** Its digest; absent where there is no file yet. */
  readonly base?: string | undefined;
}

let drafts: ReadonlyMap<string, Draft> = new Map();
const listeners = new Set<() => void>();

export function isChanged({ text, saved }: Draft): boolean {
  return text !== saved;
}

export function putDraft(draft: Draft): void {
  drafts = new Map(drafts).set(draft.place, draft);
  for (const listener of listeners) listener();
}

export function dropDraft(place: string): void {
  const left = new Map(drafts);
  left.delete(place);
  drafts = left;
  for (const listener of listeners) listener();
}

export function useDrafts(): ReadonlyMap<string, Draft> {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    () => drafts,
  );
}

/** Asks before the page goes while something is not saved. */
export function useLeaveGuard(): void {
  useEffect(() => {
    const onLeave = (event: BeforeUnloadEvent) => {
      if ([...drafts.values()].some(isChanged)) event.preventDefault();
    };
    window.addEventListener("beforeunload", onLeave);
    return () => window.removeEventListener("beforeunload", onLeave);
  }, []);
}
