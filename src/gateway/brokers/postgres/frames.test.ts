import assert from "node:assert/strict";
import { Duplex } from "node:stream";
import { test } from "node:test";
import fc from "fast-check";
import { isFault } from "../../../base/index.ts";
import { Answers, type Expected } from "./answers.ts";
import { BodyReader, errorMessage, FrameReader, message, R, readFields } from "./frames.ts";

const SEED = { seed: 20_261_126 };

/** Cuts `bytes` at `cuts`. */
function pieces(bytes: Buffer, cuts: readonly number[]): readonly Buffer[] {
  const at = [...new Set([0, ...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length])].sort(
    (a, b) => a - b,
  );
  return at.slice(1).map((end, index) => bytes.subarray(at[index], end));
}

test("messages are the same however their bytes are cut, and fault gateway.protocol ends what is none", () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 200 }),
      fc.array(fc.tuple(fc.integer({ min: 1, max: 255 }), fc.uint8Array({ maxLength: 40 })), {
        maxLength: 6,
      }),
      fc.array(fc.nat(), { maxLength: 12 }),
      (noise, frames, cuts) => {
        const bytes = Buffer.concat([
          ...frames.map(([type, body]) => message(type, Buffer.from(body))),
          Buffer.from(noise),
        ]);
        const readAll = (chunks: readonly Buffer[]) => {
          const reader = new FrameReader(() => 100);
          const out: string[] = [];
          try {
            for (const chunk of chunks) {
              reader.push(chunk);
              for (let one = reader.next(); one !== undefined; one = reader.next()) {
                out.push(one.toString("hex"));
              }
            }
          } catch (error) {
            assert.ok(isFault(error, "gateway.protocol"));
            out.push("fault");
          }
          return out;
        };
        assert.deepEqual(readAll(pieces(bytes, cuts)), readAll([bytes]));
      },
    ),
    { ...SEED, numRuns: 2000 },
  );
});

test("a body is read to its end or is a fault", () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 60 }),
      fc.array(fc.constantFrom("text", "int16", "int32", "byte", "list", "end"), { maxLength: 8 }),
      (bytes, steps) => {
        const reader = new BodyReader(Buffer.from(bytes));
        try {
          for (const step of steps) {
            if (step === "list") reader.list(() => reader.int32());
            else reader[step]();
          }
        } catch (error) {
          assert.ok(isFault(error, "gateway.protocol"), String(error));
        }
        readFields(Buffer.from(bytes));
      },
    ),
    { ...SEED, numRuns: 3000 },
  );
});

test("what a server says is passed on the same however its bytes are cut", () => {
  const frame = fc.oneof(
    fc.uint8Array({ maxLength: 30 }).map((body) => message(R.dataRow, Buffer.from(body))),
    fc.constant(message(R.dataRow, "x hidden-word y")),
    fc.constant(message(R.rowDescription, Buffer.of(0, 0))),
    fc.constant(message(R.commandComplete, "SELECT 1")),
    fc.constant(errorMessage({ code: "42601", message: "syntax" })),
    fc.constant(message(R.ready, Buffer.from("I"))),
    fc.constant(message(R.notice, "Mx", 0)),
    fc.constant(message(R.copyIn, Buffer.of(0, 0, 0))),
    fc.constant(message(0x7a, "odd")),
  );
  const through = (chunks: readonly Buffer[], rows: number | undefined) => {
    const said: Buffer[] = [];
    const client = new Duplex({
      read() {},
      write(chunk: Buffer, _, done) {
        said.push(Buffer.from(chunk));
        done();
      },
    });
    let isBroken = false;
    let cuts = 0;
    const answers = new Answers({
      ...{ client, server: new Duplex({ read() {} }), secrets: ["hidden-word"], rows },
      cancel: async () => void (cuts += 1),
      outcome: () => {},
      broken: () => (isBroken = true),
    });
    const done: string[] = [];
    for (const kind of ["query", "execute", "sync", "query"] as const) {
      const expected: Expected = {
        kind,
        instead: errorMessage({ code: "42501", message: "ours" }),
      };
      answers.expect({ ...expected, done: (isWell) => done.push(`${kind} ${isWell}`) });
    }
    for (const chunk of chunks) if (!isBroken) answers.take(chunk);
    return { said: Buffer.concat(said).toString("latin1"), isBroken, done, cuts };
  };
  fc.assert(
    fc.property(
      fc.array(frame, { maxLength: 12 }),
      fc.array(fc.nat(), { maxLength: 20 }),
      fc.option(fc.integer({ min: 1, max: 4 }), { nil: undefined }),
      (frames, cuts, rows) => {
        const bytes = Buffer.concat(frames);
        const whole = through([bytes], rows);
        const cut = through(pieces(bytes, cuts), rows);
        assert.ok(!`${cut.said}${whole.said}`.includes("hidden-word"));
        assert.equal(cut.isBroken, whole.isBroken);
        // What came before something odd may be on its way, or not.
        if (!whole.isBroken) assert.deepEqual(cut, whole);
        assert.ok(whole.isBroken || frames.length === 0 || whole.said !== "");
      },
    ),
    { ...SEED, numRuns: 1500 },
  );
});
