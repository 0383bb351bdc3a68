/**
 * What a support bundle is looked through by, where the daemon runs: only it knows what is lent to runs.
 *
 * @module
 */
import { createCover } from "../support/index.ts";
import type { Runs } from "./runs.ts";
import type { World } from "./world.ts";

/** The newest of those that are over: what stood for a secret there means nothing any more. */
const ENDED_RUNS = 20;

/** Answers `support.cover`. @throws {Fault} of the vault where it is not open. */
export function supportHandlers({ home, credentials }: World, runs: Runs) {
  return {
    "support.cover": async ({ bytes }: { readonly bytes: string }) => {
      const ended = runs.list(true).slice(-ENDED_RUNS);
      const cover = createCover({
        home,
        vault: credentials.vault,
        runs: [...new Set([...ended, ...runs.list(false)].map(({ run }) => run))],
        environments: [process.env],
        more: [
          ...credentials.passing,
          ...runs.live.flatMap(({ lending }) => [
            ...lending.secrets(),
            ...lending.placeholders.given.map(({ text }) => text),
            lending.hostKey,
          ]),
        ],
      });
      const { bytes: out, found } = cover(Buffer.from(bytes, "base64"));
      return { bytes: out.toString("base64"), found };
    },
  };
}
