/**
 * Mining by what is executed and by what is used; what is said on the wire the gateway finds before the first share.
 *
 * @module
 */
import type { Event } from "../action/index.ts";
import { addTo, keyOf } from "./bounded.ts";
import { defineDetector, type DetectorAbout } from "./detector.ts";
import { isReader } from "./escape.ts";
import { found, numberOf, textOf } from "./found.ts";
import { isShell, programOf } from "./program.ts";

const COMMAND: DetectorAbout = {
  name: "mining.command",
  kind: "mining",
  title: "A miner is started, under whatever name",
  explanation:
    "Looks at arguments rather than names: a stratum URL, a donation level, a mining algorithm, a wallet beside a pool; and at the names of known miners. Programs that look for such text in files (grep, git) are none.",
  attack: ["T1496.001"],
  atlas: ["AML.T0034.002"],
  owasp: ["ASI10"],
  tuning: {},
};

const MINERS = new Set([
  ...[
    "xmrig",
    "xmr-stak",
    "minerd",
    "cpuminer",
    "cgminer",
    "bfgminer",
    "ethminer",
    "t-rex",
    "lolminer",
  ],
  ...[
    "nbminer",
    "gminer",
    "phoenixminer",
    "teamredminer",
    "srbminer-multi",
    "wildrig-multi",
    "nanominer",
  ],
]);
const POOL_URL = /^(?:.*=)?(?:stratum[12]?|eth(?:proxy|stratum))\+(?:tcp|ssl|tls|udp):\/\//i;
const FLAGS = /^--(?:donate-level|randomx-[\w-]+|cpu-max-threads-hint|nicehash|rig-id|coin)(?:=|$)/;
const ALGORITHM =
  /^(?:rx\/\d|rx\/(?:wow|arq|graft|sfx)|cn(?:-[\w]+)?\/[\w-]+|argon2\/chukwa|kawpow|ethash|etchash|autolykos2|randomx)$/i;
/** Monero (95 or 106 characters), Bitcoin, Ethereum. */
const WALLET =
  /^(?:.*=)?(?:[48][1-9A-HJ-NP-Za-km-z]{94}(?:[1-9A-HJ-NP-Za-km-z]{11})?|bc1[\da-z]{25,59}|0x[\dA-Fa-f]{40})(?:[./+].*)?$/;
const PLACE = /^[\w.-]+:\d{2,5}$/;

export const miningCommand = defineDetector<object>({
  ...COMMAND,
  sees: ["process.start"],
  scope: "run",
  start: () => ({}),
  observe(_state, event) {
    const { process } = event;
    if (process === undefined) return [];
    const program = programOf(process);
    const says = (score: number, why: string) => [found(COMMAND, event, score, why)];
    if (MINERS.has(program.name)) return says(0.9, `${program.name} is a miner`);
    // What a shell's text starts comes by itself.
    if (isReader(program) || isShell(program) || program.text !== "") return [];
    const { args } = program;
    if (args.some((word) => POOL_URL.test(word)))
      return says(0.95, "an argument is the URL of a mining pool");
    const signs = [
      args.some((word) => FLAGS.test(word)),
      args.some((word) => ALGORITHM.test(word)),
      args.some((word) => WALLET.test(word)),
      args.some((word) => PLACE.test(word)),
    ].filter(Boolean).length;
    return signs >= 2
      ? says(0.8, "arguments as a miner has them: pool, wallet, algorithm or donation")
      : [];
  },
});

const USAGE: DetectorAbout = {
  name: "mining.usage",
  kind: "usage",
  title: "Compute is used while nothing asks for it",
  explanation:
    "Looks at samples of what the run uses while no tool call is open and no program was started: an agent that waits for its model or its user uses next to nothing. Only of runs whose tool calls are seen. A server that the agent started earlier and that works by itself looks alike.",
  attack: ["T1496.001"],
  atlas: ["AML.T0034.002"],
  owasp: ["ASI10"],
  tuning: {
    cores: { value: 0.8, unit: "cores", meaning: "used throughout" },
    gpu: { value: 0.5, unit: "of one GPU", meaning: "or so much of a GPU" },
    seconds: { value: 180, unit: "s", meaning: "without a break" },
  },
};

interface Use {
  readonly limit: { readonly cores: number; readonly gpu: number; readonly lengthMs: number };
  readonly open: Set<string>;
  hasCalls: boolean;
  sinceMs: number | undefined;
}

export const miningUsage = defineDetector<Use>({
  ...USAGE,
  sees: ["usage", "tool.call", "tool.result"],
  scope: "run",
  start: ({ cores = 0.8, gpu = 0.5, seconds = 180 }) => ({
    limit: { cores, gpu, lengthMs: seconds * 1000 },
    open: new Set(),
    hasCalls: false,
    sinceMs: undefined,
  }),
  observe(state, event) {
    const call = textOf(event, "call");
    if (event.type === "tool.call") {
      state.hasCalls = true;
      addTo(state.open, call, 256);
    } else if (event.type === "tool.result") state.open.delete(keyOf(call));
    if (event.type !== "usage" || !state.hasCalls || state.open.size > 0) {
      state.sinceMs = undefined;
      return [];
    }
    const cores = numberOf(event, "cpu");
    const gpu = gpuOf(event);
    if (cores < state.limit.cores && gpu < state.limit.gpu) {
      state.sinceMs = undefined;
      return [];
    }
    state.sinceMs ??= event.monoMs;
    const lengthMs = event.monoMs - state.sinceMs;
    if (lengthMs < state.limit.lengthMs) return [];
    state.sinceMs = undefined;
    const what =
      cores >= state.limit.cores
        ? `${cores.toFixed(1)} cores`
        : `${Math.round(gpu * 100)} % of a GPU`;
    return [
      found(
        USAGE,
        event,
        0.6,
        `${what} used for ${Math.round(lengthMs / 1000)} s while no tool call was open`,
      ),
    ];
  },
});

/** How busy the busiest GPU is, 0 to 1. */
function gpuOf(event: Event): number {
  const gpus = event.data?.["gpus"];
  if (!Array.isArray(gpus)) return 0;
  const busy = gpus.map((gpu) => {
    if (typeof gpu === "number") return gpu;
    if (typeof gpu !== "object" || gpu === null || Array.isArray(gpu)) return 0;
    const { busy: value } = gpu;
    return typeof value === "number" ? value : 0;
  });
  return Math.max(0, ...busy.slice(0, 64));
}
