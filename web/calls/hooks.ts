/**
 * The same as hooks: what a screen reads is kept and shared (TanStack Query), what it does makes the rest read anew.
 *
 * @module
 */
import {
  useMutation,
  useQuery,
  useQueryClient,
  type UseMutationResult,
  type UseQueryResult,
} from "@tanstack/react-query";
import type { Answers, ApiName, Asks } from "../../src/api/index.ts";
import { ApiFault, ask } from "./ask.ts";

export interface CallOptions {
  readonly enabled?: boolean;
  /** Asks again that often, milliseconds; for what no stream tells. */
  readonly everyMs?: number;
}

/** Reads an endpoint; the same question of two places is asked once. */
export function useCall<Name extends ApiName>(
  name: Name,
  asks: Asks<Name>,
  options: CallOptions = {},
): UseQueryResult<Answers<Name>, ApiFault> {
  return useQuery<Answers<Name>, ApiFault>({
    queryKey: keyOf(name, asks),
    queryFn: async ({ signal }) => ask(name, asks, signal),
    ...(options.enabled === undefined ? {} : { enabled: options.enabled }),
    ...(options.everyMs === undefined ? {} : { refetchInterval: options.everyMs }),
  });
}

/** Does something; `stale` are the endpoints whose answers are others afterwards. */
export function useAct<Name extends ApiName>(
  name: Name,
  stale: readonly ApiName[] = [],
): UseMutationResult<Answers<Name>, ApiFault, Asks<Name>> {
  return useDo(async (asks: Asks<Name>) => ask(name, asks), stale);
}

/** The same for what takes more than one question. */
export function useDo<Done, Asked>(
  act: (asks: Asked) => Promise<Done>,
  stale: readonly ApiName[] = [],
): UseMutationResult<Done, ApiFault, Asked> {
  const queries = useQueryClient();
  return useMutation<Done, ApiFault, Asked>({
    mutationFn: act,
    onSettled: async () => {
      await Promise.all(stale.map((one) => queries.invalidateQueries({ queryKey: [one] })));
    },
  });
}

/** Where an answer is kept. */
export function keyOf<Name extends ApiName>(name: Name, asks?: Asks<Name>): readonly unknown[] {
  return asks === undefined ? [name] : [name, asks];
}
