import { spanText, Untrusted } from "../../parts/index.ts";
import { doesText, isReversible, reachText, type Shown } from "./words.ts";

/** What a yes comes to, in one sentence of ours. */
export function Consequence({ shown }: { shown: Shown }) {
  const { system, effects, undoMs, needs, by, mayBeginUntil } = shown;
  const isLast = by.length + 1 >= needs;
  const when = !isLast
    ? "It is done when another person says yes, too."
    : shown.look.conversation !== undefined || mayBeginUntil !== undefined
      ? "Its run may begin it once, within ten minutes."
      : undoMs > 0
        ? `It is done in ${spanText(undoMs)}; until then you can take it back.`
        : "It is done at once.";
  return (
    <p>
      This {doesText(effects)} at <Untrusted text={system} />
      <Untrusted text={reachText(shown)} />.{" "}
      {isReversible(shown) ? "The system can undo it." : <strong>It cannot be undone.</strong>}{" "}
      {when}
    </p>
  );
}
