/**
 * What a first TLS connection to a host costs beyond the handshake: a key, a certificate for the name,
 * and the context that answers with it; beside the key and the signature alone.
 *
 * @module
 */
import { generateKeyPairSync, sign } from "node:crypto";
import { openAuthority } from "../../src/gateway/index.ts";
import type { Part } from "../part.ts";
import { createRow } from "../row.ts";
import { inTurns } from "../statistics.ts";
import { timed } from "../timing.ts";

const ROUNDS = 500;

export const leaf: Part = {
  name: "leaf",
  async measure({ scratch }) {
    const authority = await openAuthority(scratch.folder("keys"));
    let n = 0;
    const { ours, floor } = await inTurns(ROUNDS, {
      ours: () => timed(() => authority.contextFor(`host-${(n += 1)}.example`)),
      floor: () =>
        timed(() => {
          const { privateKey } = generateKeyPairSync("ec", { namedCurve: "prime256v1" });
          sign("sha256", Buffer.alloc(400), privateKey);
        }),
    });
    return [
      createRow({
        name: "leaf/minted",
        unit: "ms",
        values: ours,
        against: { name: "a key and a signature", values: floor },
        goal: { of: "value", must: "<", be: 1 },
      }),
    ];
  },
};
