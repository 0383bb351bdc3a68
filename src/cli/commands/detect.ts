/**
 * `detect`: what the flow detectors find in a capture, without a daemon and without a run.
 *
 * @module
 */
import { Fault } from "../../base/index.ts";
import { judgeCapture, type CaptureReport } from "../capture.ts";
import { EXIT, JSON_HELP, JSON_OPTION, textOption, type Command } from "../command.ts";

export const detectCommand: Command = {
  name: "detect",
  usage: "--pcap FILE [--json]",
  options: { pcap: { type: "string" }, ...JSON_OPTION },
  optionHelp: { pcap: "the capture to read; nothing is sent", ...JSON_HELP },
  examples: [
    "cofferdam detect --pcap traffic.pcap",
    "cofferdam detect --pcap traffic.pcapng --json",
  ],
  positionals: [0, 0],
  async run({ values, out, err }) {
    const path = textOption(values, "pcap");
    if (path === undefined) {
      throw new Fault("detect.file", "no capture is named", { hint: "write --pcap FILE" });
    }
    const report = await judgeCapture(path);
    if (values["json"] === true) out(`${JSON.stringify(jsonOf(report))}\n`);
    else out(textOf(report));
    // All that could be read was judged; what could not is no yes.
    if (report.damage === undefined) return EXIT.ok;
    err(`cofferdam: the capture is damaged: ${report.damage}; what stands before was read\n`);
    return EXIT.no;
  },
};

function jsonOf({ flows, silent, frames, findings, left, unread, damage }: CaptureReport) {
  return {
    flows,
    silent,
    frames,
    findings: findings.map(({ flow, detector, kind, score, why }) => ({
      flow,
      detector,
      kind,
      score,
      why,
    })),
    ...(left > 0 ? { left } : {}),
    ...(unread.size > 0 ? { unread: Object.fromEntries(unread) } : {}),
    ...(damage === undefined ? {} : { damage }),
  };
}

function textOf({ flows, findings, left, unread }: CaptureReport): string {
  const lines = findings.map(
    ({ flow, detector, score, why }) =>
      `${detector.padEnd(24)} ${score.toFixed(2)}  ${flow}\n    ${why}`,
  );
  if (left > 0) lines.push(`and ${left} more`);
  for (const [type, frames] of unread)
    lines.push(`not read: ${frames} frames of link type ${type}`);
  lines.push(`${flows} flows, ${findings.length + left} findings`);
  return `${lines.join("\n")}\n`;
}
