/** The keys of this screen. */
import { KeysHelp } from "../../parts/index.ts";

const KEYS = [
  ["j, k", "the next item, the one before"],
  ["Enter", "opens it: what led to it, and what came of it"],
  ["[, ]", "the refusal or finding before, the next"],
  [":", "jump to an entry or a time"],
  ["/", "find"],
  ["Esc", "close the detail"],
  ["space, ←, →", "in a recording: play or pause, five seconds back or on"],
] as const;

export function Help({ onClose }: { onClose: () => void }) {
  return <KeysHelp keys={KEYS} onClose={onClose} />;
}
