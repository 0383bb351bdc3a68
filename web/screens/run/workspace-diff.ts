/** The text of a diff, file by file, as `cofferdam diff` prints it (src/workspace/text-diff.ts). */
import type { Answers } from "../../../src/api/index.ts";

type Change = Answers<"workspace.diff">["changes"][number];

export interface ChangedFile {
  readonly change: Change;
  /** The lines that differ; absent where none are shown. */
  readonly lines: readonly string[];
}

/** Lines of a file begin with one of these, and no head does: heads begin with the kind of change. */
const OF_A_FILE = /^[ +\-@\\]/;

export function filesOf({ changes, text }: Answers<"workspace.diff">): readonly ChangedFile[] {
  const byHead = new Map<string, string[]>();
  let lines: string[] = [];
  for (const line of text.split("\n")) {
    if (OF_A_FILE.test(line)) lines.push(line);
    else if (line !== "") byHead.set(line, (lines = []));
  }
  return changes.map((change) => {
    const { kind, path, detail } = change;
    const head = `${kind.padEnd(10)} ${path} (${detail ?? ""})`;
    return { change, lines: byHead.get(head) ?? [] };
  });
}
