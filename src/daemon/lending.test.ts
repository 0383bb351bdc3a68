import assert from "node:assert/strict";
import { test } from "node:test";
import { leaseFor } from "./lending.ts";

test("INV-114: when the login of a run is gone, what it waited for is not done with the one that made it", async () => {
  const leased: string[] = [];
  const credentials = {
    minted: () => undefined,
    requireLendable: () => {},
    vault: {
      placeholder: () => "placeholder-of-a-login",
      lease: (name: string) => Promise.resolve(void leased.push(name)),
    },
  };
  const grant = { name: "db", system: "postgres", kind: "session", credential: "admin" } as const;
  const place = { scheme: "postgres", host: "db.test", port: 5432 } as const;
  const ask = (mint?: object) =>
    leaseFor(credentials as never, {
      run: "r-1",
      grant: { ...grant, ...(mint === undefined ? {} : { mint: mint as never }) },
      place,
      entryOf: () => undefined,
    });
  await assert.rejects(ask({}), { code: "daemon.credential" });
  assert.deepEqual(leased, []);
  await ask();
  assert.deepEqual(leased, ["admin"], "a grant that mints nothing has its own");
});
