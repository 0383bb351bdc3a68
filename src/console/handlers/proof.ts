/**
 * Proofs of entries, verification of the whole record, and what matches a search as a file in a form of others.
 *
 * @module
 */
import { join } from "node:path";
import type { Answers, Entry, ExportForm } from "../../api/index.ts";
import { Fault } from "../../base/index.ts";
import { createOcsf, createOtlp, logsRequest, tracesRequest } from "../../incident/index.ts";
import { showProof, verifyLedger, type LedgerReport } from "../../ledger/index.ts";
import { detectorOf } from "../../report/index.ts";
import { csvHead, csvRow } from "../csv.ts";
import type { ConsoleDesk, ConsoleHandlers } from "../desk.ts";

/** Problems that are listed; a record that was thrown away has one for each entry. */
const PROBLEMS_MAX = 200;
/** A piece of an export, in characters. */
const PIECE_CHARS = 64 << 10;

export function proofHandlers(
  desk: ConsoleDesk,
): Pick<ConsoleHandlers, "ledger.proof" | "ledger.verify" | "ledger.export"> {
  let isVerifying = false;
  return {
    "ledger.proof": async ({ seq }) => {
      const { proof, key } = await desk.client.call("ledger.prove", { seq });
      const { leaf, root, steps, origin, size, checkpoint } = showProof(proof, key);
      return {
        ...{ seq, proof, key, origin, size, checkpoint, leaf: hex(leaf), root: hex(root) },
        steps: steps.map(({ sibling, side, node }) => ({
          ...{ sibling: hex(sibling), side, node: hex(node) },
        })),
      };
    },
    "ledger.verify": async function* (_, { signal }) {
      if (isVerifying) {
        throw new Fault("console.busy", "the record is being verified for somebody else", {
          hint: "it takes seconds: try again",
        });
      }
      isVerifying = true;
      try {
        yield* verify(join(desk.home.root, "ledger"), AbortSignal.any([signal, desk.closing]));
      } finally {
        isVerifying = false;
      }
    },
    "ledger.export": async function* ({ query, form }, { signal }) {
      const { version } = await desk.client.call("daemon.status", {});
      const write = writerOf(form, version);
      let [text, count] = [form === "csv" ? csvHead() : "", 0];
      for await (const batch of desk.record.entries(query, signal)) {
        text += write(batch);
        count += batch.length;
        if (text.length < PIECE_CHARS) continue;
        yield { text, entries: count };
        text = "";
      }
      yield { text, entries: count };
    },
  };
}

function hex(bytes: Buffer): string {
  return bytes.toString("hex");
}

type VerifyEvent = Answers<"ledger.verify">;

/** The verification as it goes on: the newest progress alone waits for a reader that is slow. */
async function* verify(folder: string, signal: AbortSignal): AsyncIterable<VerifyEvent> {
  let latest: VerifyEvent | undefined;
  let turned = Promise.withResolvers<void>();
  const verified = verifyLedger(folder, {
    signal,
    onProgress: (hashed, size) => {
      latest = { event: "progress", hashed, size };
      turned.resolve();
    },
  });
  const settled = verified.then(
    () => "over" as const,
    () => "over" as const,
  );
  for (;;) {
    const how = await Promise.race([settled, turned.promise]);
    if (latest !== undefined) yield latest;
    latest = undefined;
    turned = Promise.withResolvers();
    if (how === "over") break;
  }
  yield verdictOf(await verified);
}

function verdictOf({ ok, size, root, unsigned, problems }: LedgerReport): VerifyEvent {
  const listed = problems.slice(0, PROBLEMS_MAX);
  const more = problems.length - listed.length;
  return { event: "verdict", ok, size, root, unsigned, problems: listed, more };
}

/** Entries in their order, as text of a form. */
function writerOf(form: ExportForm, version: string): (batch: readonly Entry[]) => string {
  const lines = (all: readonly unknown[]) => all.map((one) => `${JSON.stringify(one)}\n`).join("");
  if (form === "raw") return lines;
  if (form === "csv") return (batch) => batch.map(csvRow).join("");
  if (form === "ocsf") {
    const writer = createOcsf({ version, detectorOf });
    return (batch) => lines(batch.map((entry) => writer.event(entry)));
  }
  // A request a line, as the file exporter and receiver of OpenTelemetry's collector have it.
  const writer = createOtlp();
  return (batch) => {
    const told = batch.map((entry) => writer.add(entry));
    const spans = told.flatMap((one) => one.spans);
    const logs = told.map(({ log }) => log);
    return lines([
      ...(logs.length === 0 ? [] : [logsRequest(logs, version)]),
      ...(spans.length === 0 ? [] : [tracesRequest(spans, version)]),
    ]);
  };
}
