/**
 * In a worker's place: sealed as a worker is, and taken over by what it parsed. What it says about a run
 * stands in that run's name; `r-honest` is what an honest worker says.
 */
import { Socket } from "node:net";
import { Calls } from "./calls.ts";
import { Lines } from "./lines.ts";
import type { Order } from "./protocol.ts";
import { seal } from "./seal.ts";

const [canary = "", id = ""] = process.argv.slice(2);
const out = new Socket({ fd: 3, readable: true, writable: true });
const lines = new Lines(out, {
  lineBytesMax: Number.POSITIVE_INFINITY,
  hear: (line) => (line as readonly Order[]).forEach(obey),
  ended: () => process.exit(0),
});
const calls = new Calls(lines, 4);
lines.send({ sealed: await seal(canary, Number(id)) });

const flow = "f-1";
/** The number of questions whose answers do not matter. */
const UNHEARD = 1_000_000;
const tuple = {
  family: 4 as const,
  localAddress: "",
  localPort: 1,
  remoteAddress: "",
  remotePort: 80,
};
const open = { type: "flow.open" as const, flow, target: "docs.test:80" };
const action = {
  id: "a-1",
  system: "docs",
  kind: "http",
  verb: "GET",
  effects: ["read"],
  target: "http://docs.test/",
  summary: "Read it.",
  fields: { method: "GET", path: "/", host: "docs.test", scheme: "http", port: 80 },
  digest: "0",
};

type Say = (run: string) => readonly object[];
const begun: Say = (run) => [
  { say: "attribute", n: UNHEARD, run, flow, tuple },
  { say: "record", run, event: open },
];

const LIES: Readonly<Record<string, Say>> = {
  "r-dial-host": (run) => [{ say: "dial", n: 1, run, host: "evil.test", port: 80 }],
  "r-dial-port": (run) => [{ say: "dial", n: 1, run, host: "docs.test", port: 22 }],
  "r-dial-address": (run) => [{ say: "dial", n: 1, run, host: "127.0.0.1", port: 80 }],
  "r-dial-along": (run) => [
    ...begun(run),
    { say: "intend", n: 1, run, flow, action, dial: { host: "evil.test", port: 80 } },
  ],
  "r-leaf": (run) => [{ say: "leaf", n: 1, run, host: "bank.test" }],
  "r-name": (run) => [{ say: "name", n: 1, run, host: "Docs.Test" }],
  "r-foreign": () => [{ say: "record", run: "r-other", event: { type: "dns", target: "x" } }],
  "r-flow": (run) => [{ say: "intend", n: 1, run, flow, action }],
  "r-unopened": (run) => [begun(run)[0] ?? {}, { say: "intend", n: 1, run, flow, action }],
  "r-twice": (run) => [...begun(run), { say: "record", run, event: open }],
  "r-two": (run) => [begun(run)[0] ?? {}, begun(run)[0] ?? {}],
  "r-outcome": (run) => [{ say: "record", run, event: { type: "outcome", action: "a-9" } }],
  "r-end": (run) => [{ say: "record", run, event: { type: "run.end" } }],
  "r-verdict": (run) => [
    { say: "record", run, event: { type: "dns", target: "x", verdict: "allow" } },
  ],
  "r-process": (run) => [
    ...begun(run),
    { say: "intend", n: 1, run, flow, action: { ...action, cause: { pid: 1 } } },
  ],
  "r-word": (run) => [{ say: "shutdown", run }],
  "r-flood": (run) =>
    Array.from({ length: 3000 }, (_, n) => ({
      say: "attribute",
      n: UNHEARD,
      run,
      flow: `f-${n}`,
      tuple,
    })),
};

function obey(order: Order): void {
  if ((order.order === "answer" || order.order === "refusal") && order.n < UNHEARD)
    calls.answered(order);
  if (order.order === "stop") void stop(order.run);
  if (order.order !== "serve") return;
  const { run } = order;
  if (run === "r-long") out.write(Buffer.alloc(5 << 20, "x"));
  else if (run === "r-garbage") out.write("[{]\n");
  else if (run === "r-deep") out.write(`${"[".repeat(1 << 20)}\n`);
  else if (run === "r-honest") void honest(run);
  else for (const message of LIES[run]?.(run) ?? []) lines.send(message);
}

/** Ends a run, and then still asks about it, as what was on the way does. */
async function stop(run: string): Promise<void> {
  calls.note({ say: "stopped", run });
  await new Promise((resolve) => setTimeout(resolve, 50));
  calls.note({ say: "record", run, event: { type: "dns", target: "late.test" } });
  const late = calls.ask("name", { run, host: "late.test" });
  await late.catch((error: unknown) => process.stderr.write(`late: ${JSON.stringify(error)}\n`));
}

/** All that an honest worker asks for, and what came of it as one finding. */
async function honest(run: string): Promise<void> {
  await calls.ask("attribute", { run, flow, tuple });
  calls.note({ say: "record", run, event: open });
  await calls.ask("name", { run, host: "docs.test" });
  const asked = { ...action, effects: ["read" as const] };
  const dial = { host: "docs.test", port: 80 };
  const { verdict, descriptor } = await calls.intend({ run, flow, action: asked, dial });
  const denied = await calls.intend({
    run,
    flow,
    action: { ...asked, id: "a-2", verb: "PUT", fields: { ...asked.fields, method: "PUT" } },
    dial,
  });
  const { certificatePem } = await calls.ask("leaf", { run, host: "docs.test" });
  const said = [await heardFrom(descriptor), await heardFrom(await calls.dial({ run, ...dial }))];
  calls.note({ say: "record", run, event: { type: "outcome", flow, action: action.id } });
  const verdicts = [verdict.verdict, denied.verdict.verdict, denied.descriptor ?? "nothing"];
  const detail = [...verdicts, certificatePem.slice(0, 27), ...said].join(" | ");
  calls.note({ say: "finding", run, kind: "protocol", detail, of: { flow } });
  calls.note({ say: "record", run, event: { type: "flow.close", flow, target: "docs.test:80" } });
}

/** What the peer of the connection says first. */
function heardFrom(fd: number | undefined): Promise<string> {
  if (fd === undefined) return Promise.resolve("no connection");
  const socket = new Socket({ fd });
  return new Promise((resolve) => socket.once("data", (data) => resolve(String(data))));
}
