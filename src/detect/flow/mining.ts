/**
 * Mining pools' protocols, in any layer.
 *
 * @module
 */
import { findMining, type MiningDialect, type MiningMessage } from "../../wire/index.ts";
import type { FlowDetector, FlowView } from "./flow-detector.ts";
import { carriedBy, speaks } from "./layers.ts";
import { isRandom } from "./randomness.ts";

const MINING = {
  kind: "mining",
  attack: ["T1496.001"],
  atlas: ["AML.T0034.002"],
  owasp: ["ASI10"],
  sees: ["tcp"],
} as const;

interface Hit {
  readonly message: MiningMessage;
  readonly where: string;
}

/** The first mining message of `flow`, in whatever layer it stands. */
function miningIn({ layers }: FlowView): Hit | undefined {
  for (const layer of layers) {
    const message = findMining(layer.sent) ?? findMining(layer.received);
    if (message !== undefined) return { message, where: carriedBy(layer) };
  }
  return undefined;
}

function isMining(flow: FlowView): boolean {
  return flow.once(miningIn) !== undefined;
}

function pool(
  dialect: MiningDialect,
  about: Pick<FlowDetector, "name" | "title" | "explanation">,
): FlowDetector {
  return {
    ...MINING,
    ...about,
    tuning: {},
    may: isMining,
    judge(flow) {
      const hit = flow.once(miningIn);
      if (hit?.message.dialect !== dialect) return undefined;
      return { score: 1, why: `${hit.message.detail}${hit.where}` };
    },
  };
}

export const MINING_DETECTORS: readonly FlowDetector[] = [
  pool("stratum-v1", {
    name: "mining.stratum",
    title: "Stratum v1, the protocol of mining pools",
    explanation:
      "A JSON-RPC message whose method is one of Stratum's (mining.subscribe, mining.authorize, mining.hello and their kin), however it is split, spaced, escaped or carried. No other protocol has these names; text that only speaks of them, in a string or deeper in a message, does not count.",
  }),
  pool("stratum-v2", {
    name: "mining.stratum-v2",
    title: "Stratum v2 in the clear",
    explanation:
      "A connection that begins with the eleven fixed bytes of Stratum v2's SetupConnection. Seen in local networks only: over the internet the protocol is encrypted, see mining.stratum-v2-noise.",
  }),
  pool("monero", {
    name: "mining.monero",
    title: "Monero pool login, as XMRig sends it",
    explanation:
      "A login with a wallet's address or a list of mining algorithms, a job with a block to hash, or a share. A login of another kind of service has neither, and is left alone.",
  }),
  pool("ethereum", {
    name: "mining.ethereum",
    title: "Ethereum mining proxy",
    explanation:
      "eth_submitLogin, eth_getWork, eth_submitWork or eth_submitHashrate. Questions that wallets and applications ask a node (eth_blockNumber, eth_call) do not count.",
  }),
  pool("getwork", {
    name: "mining.getwork",
    title: "Solo mining against a node",
    explanation:
      "getwork, getblocktemplate, get_block_template or the submission of a block, which only who mines has use for. Somebody who develops a node's software asks the same.",
  }),
  {
    ...MINING,
    name: "mining.stratum-v2-noise",
    title: "Stratum v2 under Noise, by its sizes",
    explanation:
      "A first flight of exactly 64 random bytes, answered by exactly 234 (or 170, as an earlier text of the specification has it), then frames with an encrypted header of 22 bytes: the handshake of Stratum v2. Nothing inside can be read, so this is evidence and no proof; other Noise protocols have other sizes.",
    tuning: {
      firstBytes: { value: 64, unit: "bytes", meaning: "the client's first flight" },
      answerBytes: { value: 234, unit: "bytes", meaning: "the server's answer" },
    },
    judge({ seen }, { firstBytes = 64, answerBytes = 234 }) {
      const { sent, received, sizes } = seen;
      const [size = 0] = sizes;
      if (size <= 0 || size > firstBytes) return undefined; // A flight is at least its first payload.
      const [first, answer, then] = flights(sizes);
      if (first !== firstBytes || then === undefined || then < NOISE_FRAME_BYTES) return undefined;
      if (answer !== -answerBytes && answer !== -OLD_ANSWER_BYTES) return undefined;
      if (!isRandom(sent.subarray(0, first)) || !isRandom(received.subarray(0, -answer)))
        return undefined;
      const why = `a first flight of ${first} random bytes, an answer of ${-answer}, then a frame of ${then}: the sizes of Stratum v2's handshake`;
      return { score: 0.9, why };
    },
  },
  {
    ...MINING,
    name: "mining.peer",
    title: "A coin's own peer network",
    explanation:
      "The handshake of Monero's or Bitcoin's network of nodes. It is not mining itself, but what a miner without a pool runs beside it; wallets and explorers speak it too.",
    tuning: {},
    judge(flow) {
      for (const layer of flow.layers) {
        const peer = speaks(layer, "crypto-p2p");
        if (peer !== undefined) return { score: 0.7, why: `${peer.detail}${carriedBy(layer)}` };
      }
      return undefined;
    },
  },
];

const NOISE_FRAME_BYTES = 22 + 16; // An encrypted header, and at least a tag behind it.
const OLD_ANSWER_BYTES = 170;

/** Bytes of each side until the other speaks, the first few. */
export function flights(sizes: readonly number[]): readonly number[] {
  const found: number[] = [];
  for (const size of sizes) {
    const last = found.at(-1);
    if (last !== undefined && last > 0 === size > 0) found[found.length - 1] = last + size;
    else if (found.length === 8) break;
    else found.push(size);
  }
  return found;
}
