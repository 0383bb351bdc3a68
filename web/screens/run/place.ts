/**
 * Where one looks, as the address has it: tab, window, filter, and the item that is open. A link leads back to the very same.
 *
 * @module
 */
import { useCallback, useMemo } from "react";
import { useSearchParams } from "wouter";
import type { StoryFilter, StoryItem } from "../../../src/api/index.ts";

export const TABS = ["timeline", "processes", "map", "recordings", "workspace"] as const;
export type Tab = (typeof TABS)[number];

export interface Place {
  readonly tab: Tab;
  readonly from: number | undefined;
  readonly to: number | undefined;
  readonly filter: StoryFilter;
  /** The item in the detail pane. */
  readonly item: string | undefined;
  readonly recording: string | undefined;
}

/** What to change; `undefined` takes a member away. */
export type Go = (patch: Readonly<Record<string, string | readonly string[] | undefined>>) => void;

export function usePlace(): readonly [Place, Go] {
  const [params, setParams] = useSearchParams();
  const text = params.toString();
  const place = useMemo(() => placeOf(new URLSearchParams(text)), [text]);
  const go: Go = useCallback(
    (patch) =>
      setParams(
        (before: URLSearchParams) => {
          const next = new URLSearchParams(before);
          for (const [name, value] of Object.entries(patch)) {
            next.delete(name);
            for (const one of typeof value === "string" ? [value] : (value ?? []))
              if (one !== "") next.append(name, one);
          }
          return next;
        },
        { replace: true },
      ),
    [setParams],
  );
  return [place, go];
}

function placeOf(params: URLSearchParams): Place {
  const number = (name: string) => {
    const value = Number(params.get(name) ?? Number.NaN);
    return Number.isFinite(value) && value >= 0 ? value : undefined;
  };
  const some = (name: string) => {
    const all = params.getAll(name);
    return all.length === 0 ? undefined : all;
  };
  const text = params.get("q") ?? undefined;
  const under = params.get("under") ?? undefined;
  // What is none of these the server refuses, and says so.
  const filter = {
    ...(text === undefined ? {} : { text }),
    ...present("lanes", some("lane")),
    ...present("effects", some("effect")),
    ...present("verdicts", some("verdict")),
    ...present("systems", some("system")),
    ...(params.has("refused") ? { refused: true } : {}),
    ...(under === undefined ? {} : { under }),
  } as StoryFilter;
  const tab = TABS.find((one) => one === params.get("tab")) ?? "timeline";
  return {
    ...{ tab, from: number("from"), to: number("to"), filter },
    ...{ item: params.get("item") ?? undefined, recording: params.get("rec") ?? undefined },
  };
}

function present(name: string, value: readonly string[] | undefined): object {
  return value === undefined ? {} : { [name]: value };
}

/** Opens an item; of a call, what came of it can be shown alone. */
export function openItem(go: Go, item: Pick<StoryItem, "id">): void {
  go({ item: item.id });
}
