/**
 * The card that is open. What a person reads does not change under their eyes: where what is asked became another
 * thing meanwhile (somebody edited it), that is said, and shown when they ask for it.
 *
 * @module
 */
import { useState } from "react";
import { useCall, type ApiFault } from "../../calls/index.ts";
import type { Shown } from "./words.ts";

export interface OpenCard {
  readonly shown: Shown | undefined;
  /** Set where it is another by now: shows that. */
  readonly renew: (() => void) | undefined;
  /** Shows what it is now, also where one changed it oneself. */
  readonly adopt: () => void;
  readonly error: ApiFault | null;
}

export function useCard(id: string): OpenCard {
  const { data, error } = useCall("approvals.show", { id, isBrief: true });
  const [kept, setKept] = useState<Shown>();
  if (data !== undefined && (kept === undefined || kept.id !== data.id)) setKept(data);
  const adopt = () => setKept(undefined);
  const base = { adopt, error };
  // Its state may change (shown, approved by one of two, over); its content may not.
  if (data === undefined || kept?.id !== id || data.action.digest === kept.action.digest) {
    return { ...base, shown: data, renew: undefined };
  }
  return { ...base, shown: { ...kept, state: data.state, by: data.by }, renew: adopt };
}
