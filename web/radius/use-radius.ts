/**
 * Asking how bad a text could get, while it is typed: the next question ends the one before, and what was answered last
 * stays until the next answer is there.
 *
 * @module
 */
import { keepPreviousData, useQuery, type UseQueryResult } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import type { Answers, Asks } from "../../src/api/index.ts";
import { ApiFault, ask, keyOf } from "../calls/index.ts";

export type Radius = Answers<"blast.assess">;
export type RadiusAsks = Asks<"blast.assess">;
export type WhatIf = NonNullable<RadiusAsks["whatIf"]>;

/** Answers of texts that nobody looks at any more are soon of no use. */
const KEPT_MS = 30_000;

export function useRadius(asks: RadiusAsks | undefined): UseQueryResult<Radius, ApiFault> {
  return useQuery<Radius, ApiFault>({
    queryKey: keyOf("blast.assess", asks ?? { place: "", source: "" }),
    queryFn: async ({ signal }) => ask("blast.assess", asks ?? { place: "", source: "" }, signal),
    enabled: asks !== undefined,
    placeholderData: keepPreviousData,
    staleTime: KEPT_MS,
    gcTime: KEPT_MS,
  });
}

const SETTLED_MS = 120;

/** A value once it has not changed for a moment. */
export function useSettled<Value>(value: Value): Value {
  const [settled, setSettled] = useState(value);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(value), SETTLED_MS);
    return () => clearTimeout(timer);
  }, [value]);
  return settled;
}
