/**
 * Mining by what is executed. What is said on the wire the gateway finds before the first share; what is used stands in
 * usage.ts.
 *
 * @module
 */
import { type DetectorAbout } from "./detector.ts";
import { isReader } from "./escape.ts";
import { detectorOfPrograms } from "./of-programs.ts";
import { isShell } from "./program.ts";

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
