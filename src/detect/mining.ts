/**
 * Mining by what is executed, and by where it would go. What is said on the wire the gateway finds before the first share; what is used stands in
 * usage.ts.
 *
 * @module
 */
import { defineDetector, type DetectorAbout } from "./detector.ts";
import { isReader } from "./escape.ts";
import { found, isInternal, shown } from "./found.ts";
import { detectorOfPrograms } from "./of-programs.ts";
import { portOf } from "./probing.ts";
import { isShell, programOf, type Program } from "./program.ts";

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

export const miningCommand = detectorOfPrograms(COMMAND, (program) => {
  if (MINERS.has(program.name)) return [0.9, `${program.name} is a miner`];
  // What a shell's text starts comes by itself.
  if (isReader(program) || isShell(program) || program.text !== "") return undefined;
  const { args } = program;
  if (args.some((word) => POOL_URL.test(word)))
    return [0.95, "an argument is the URL of a mining pool"];
  const signs = [
    args.some((word) => FLAGS.test(word)),
    args.some((word) => ALGORITHM.test(word)),
    args.some((word) => WALLET.test(word)),
    args.some((word) => PLACE.test(word)),
  ].filter(Boolean).length;
  return signs >= 2
    ? [0.8, "arguments as a miner has them: pool, wallet, algorithm or donation"]
    : undefined;
});

const POOL: DetectorAbout = {
  name: "mining.pool",
  kind: "mining",
  title: "A connection to a mining pool is refused",
  explanation:
    "A miner that is refused says nothing on the wire, so this looks at where it wanted to go and what it was given. A refused connection to somebody outside counts where two signs meet: a port that pools listen at, and a host that is called as one, a word of their protocols, or a wallet (0.8); or, at the ports that hardly anything else has, a word for a worker or its login (0.5). No port counts by itself. A program of one's own called worker, with a service outside at port 3333, looks alike.",
  attack: ["T1496.001"],
  atlas: ["AML.T0034.002"],
  owasp: ["ASI10"],
  tuning: {},
};

/** Ports of public pools, from their pages and XMRig's documents; the first hardly anything else has. */
const POOL_PORTS = new Set([
  ...[3333, 3334, 3335, 10_128, 10_343, 14_433, 14_444, 20_128, 45_560, 45_700],
]);
const SHARED_PORTS = new Set([3032, 4444, 5555, 6666, 7777, 8888, 9999, 20_535]);
/** Labels of pools' names, and of what they are pools of. */
const COIN_NAME =
  /(?:^|[.-])(?:mining|stratum|xmr|monero|hashvault|nanopool|nicehash|ethermine|unmineable|moneroocean|supportxmr|minexmr|c3pool|2miners|f2pool)(?:[.-]|\d|$)/;
/** The same at ports that hardly anything else has: elsewhere pools are of connections, too. */
const POOL_NAME = /(?:^|[.-])(?:pools?|mine|miner)(?:[.-]|\d|$)/;
const PROTOCOL_WORD =
  /^(?:stratum\d?|ethproxy|eth-proxy|getwork|getblocktemplate|randomx|xmrig|mining)$/i;
const WORKER_WORD = /^(?:login|worker|rig|hashrate)$/i;

export const miningPool = defineDetector<object>({
  ...POOL,
  sees: ["denial"],
  scope: "run",
  start: () => ({}),
  observe(_state, event) {
    const { target = "", process } = event;
    if (event.action !== undefined || process === undefined || isInternal(target)) return [];
    const port = portOf(event);
    const isPools = POOL_PORTS.has(port);
    if (!isPools && !SHARED_PORTS.has(port)) return [];
    const told = (score: number, sign: string) => {
      const why = `${shown(target)} port ${port}, where mining pools listen, is refused to a program ${sign}`;
      return [found(POOL, event, score, why)];
    };
    const host = target.toLowerCase();
    if (COIN_NAME.test(host) || (isPools && POOL_NAME.test(host)))
      return told(0.8, "that names a pool");
    const program = programOf(process);
    if (isReader(program)) return [];
    const words = wordsOf(program);
    if (words.some((word) => PROTOCOL_WORD.test(word))) {
      return told(0.8, "that is given a word of their protocol");
    }
    if (program.args.some((word) => WALLET.test(word) || POOL_URL.test(word)))
      return told(0.8, "that is given a wallet or a pool");
    const isWorker = isPools && words.some((word) => WORKER_WORD.test(word));
    return isWorker ? told(0.5, "that is called or given a worker") : [];
  },
});

/** The words of a program's name and arguments, taken apart; of a text that it is given none. */
function wordsOf({ name, args, text }: Program): readonly string[] {
  if (text !== "") return [];
  return [name, ...args].flatMap((word) => word.split(/[^A-Za-z0-9]+/, 16));
}
