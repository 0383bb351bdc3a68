/**
 * What a credential adds to a request: a lease from the vault, and attaching it; beside the same with nothing sealed
 * or bound, a header put into a list.
 *
 * @module
 */
import { systemClock } from "../../src/base/index.ts";
import { attach, openVault, type Kind } from "../../src/vault/index.ts";
import { join } from "node:path";
import type { Part } from "../part.ts";
import { createRow } from "../row.ts";
import { inTurns } from "../statistics.ts";
import { timed } from "../timing.ts";

const ROUNDS = 2000;
const PLACE = { scheme: "https", host: "api.example.com", port: 443 } as const;
const HEADERS = ["Accept", "*/*", "Authorization", "Bearer placeholder", "User-Agent", "bench"];
const REQUEST = {
  method: "POST",
  target: "/v1/items?x=1",
  headers: HEADERS,
  body: Buffer.alloc(4096),
};
const KINDS = {
  bearer: { kind: "bearer" },
  sigv4: { kind: "sigv4", accessKeyId: "AKIAABCDEFGHIJKL2345", region: "eu-west-1", service: "s3" },
} as const satisfies Record<string, Kind>;

export const credential: Part = {
  name: "credential",
  group: "actions",
  async measure({ scratch }) {
    const dir = scratch.folder("vault");
    const unlock = { keyFile: join(dir, "key") };
    const vault = await openVault({ dir, clock: systemClock, unlock });
    const binding = { scheme: "https", hosts: ["*.example.com"], port: 443 } as const;
    const secret = { value: "0123456789abcdefGHIJKL0123456789" };
    for (const [name, how] of Object.entries(KINDS)) {
      await vault.add({ name, binding: { ...binding, hosts: [...binding.hosts] }, how }, secret);
    }
    const attached = (name: string) => async () =>
      timed(async () => attach(REQUEST, await vault.lease(name, PLACE), "placeholder", Date.now()));
    const { bearer, sigv4, floor } = await inTurns(ROUNDS, {
      bearer: attached("bearer"),
      sigv4: attached("sigv4"),
      floor: () => timed(() => [...HEADERS, "Authorization", `Bearer ${secret.value}`]),
    });
    const against = { name: "a header", values: floor };
    const goal = { of: "value", must: "<", be: 0.3 } as const;
    return [
      createRow({ name: "credential/bearer", unit: "ms", values: bearer, against, goal }),
      createRow({ name: "credential/sigv4", unit: "ms", values: sigv4, against, goal }),
    ];
  },
};
