/**
 * Attempts on the record: its files, its clock, its recorder.
 *
 * @module
 */
import { defineDetector, type DetectorAbout } from "./detector.ts";
import { found, shown } from "./found.ts";
import { pathsOf, programsOf } from "./persistence.ts";
import { isScript } from "./program.ts";

const RECORD: DetectorAbout = {
  name: "tampering.record",
  kind: "tampering",
  title: "The record, the clock or the recorder is tried to be changed",
  explanation:
    "Looks at files that are written or removed (denials.jsonl, the ledger, logs of the system, histories of shells), at programs that set the clock or fake it, and at signals to process 1. The run holds none of it: the record is kept outside. Reading denials.jsonl is what it is there for.",
  attack: ["T1070", "T1562"],
  atlas: ["AML.T0107"],
  owasp: ["ASI10"],
  tuning: {},
};

const RECORD_FILE =
  /(?:^|\/)denials\.jsonl$|\/run\/cofferdam|(?:^|\/)cofferdam\/(?:ledger|keys|runs|daemon\.)|(?:^|\/)daemon\.sock$|^\/var\/log\/|(?:^|\/)\.(?:bash|zsh|python|node_repl)_history$/;

export const tamperingRecord = defineDetector<object>({
  ...RECORD,
  sees: ["process.start", "action"],
  scope: "run",
  start: () => ({}),
  observe(_state, event) {
    const path = pathsOf(event).find((one) => RECORD_FILE.test(one));
    if (path !== undefined)
      return [found(RECORD, event, 0.7, `${shown(path)} is written or removed`)];
    for (const program of programsOf(event)) {
      const why = isScript(program) ? undefined : offence(program.name, program.args);
      if (why !== undefined) return [found(RECORD, event, 0.7, why)];
    }
    return [];
  },
});

function offence(name: string, args: readonly string[]): string | undefined {
  switch (name) {
    case "date":
      return args.some((one) => /^-s|^--set/.test(one)) ? "the clock is set" : undefined;
    case "hwclock":
      return args.some((one) => /^-[ws]$|^--(?:set|hctosys|systohc)/.test(one))
        ? "the clock is set"
        : undefined;
    case "timedatectl":
      return args.some((one) => one.startsWith("set-")) ? "the clock is set" : undefined;
    case "faketime":
      return "a program is given another time";
    case "kill":
      // `kill -1 77` and `kill -s 1 77` name the signal; `kill -9 -1` means everybody.
      return args.some(
        (one, at) =>
          (one === "1" && !/^-[sn]$/.test(args[at - 1] ?? "")) || (one === "-1" && at > 0),
      )
        ? "process 1, which holds the run, is sent a signal"
        : undefined;
    case "pkill":
    case "killall":
      return args.some((one) => /cofferdam|auditd|rsyslog|journald/.test(one))
        ? "the recorder is sent a signal"
        : undefined;
    case "auditctl":
    case "journalctl":
      return args.some((one) => /^-[De]$|^--vacuum|^--rotate/.test(one))
        ? "a record is thrown away"
        : undefined;
    default:
      return undefined;
  }
}
