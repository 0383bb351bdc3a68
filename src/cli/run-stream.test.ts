import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import type { RunOrder } from "../api/index.ts";
import { createFrameReader, encodeFrame, locateHome, type Frame } from "../link/index.ts";
import { pickVariables } from "./commands/run.ts";
import { startRun } from "./run-stream.ts";

const top = mkdtempSync(join(tmpdir(), "cofferdam-stream-"));
after(() => rmSync(top, { recursive: true }));
const home = locateHome({ COFFERDAM_HOME: top });
const ORDER: RunOrder = {
  task: { source: "task: a\npurpose: P.\nenvironment: [ASKED]\n", fileName: "a.yaml" },
  command: ["true"],
  cwd: "/",
  path: "",
  detach: false,
};
const UPGRADED = "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\n\r\n";

/** A daemon that answers the start with `answers`, in one piece, and keeps what it hears. */
async function serve(answers: readonly (Buffer | string)[]) {
  const heard: Frame[] = [];
  const server: Server = createServer((socket) => {
    let head = "";
    const reader = createFrameReader();
    socket.on("error", () => {});
    socket.on("data", (chunk: Buffer) => {
      const from = head.includes("\r\n\r\n") ? 0 : undefined;
      if (from === undefined) {
        head += chunk.toString("latin1");
        if (!head.includes("\r\n\r\n")) return;
        socket.write(Buffer.concat(answers.map((answer) => Buffer.from(answer))));
        const rest = head.slice(head.indexOf("\r\n\r\n") + 4);
        heard.push(...reader.push(Buffer.from(rest, "latin1")));
      } else heard.push(...reader.push(chunk));
    });
  });
  await new Promise<void>((resolve) => server.listen(home.socket, resolve));
  return { heard, close: () => new Promise((resolve) => server.close(resolve)) };
}

test("a run that starts hands over what came right behind the answer", async () => {
  const started = encodeFrame("started", JSON.stringify({ run: "r-1" }));
  const daemon = await serve([UPGRADED, started, encodeFrame("stdout", "early")]);
  const { info, frames, stream } = await startRun(home, ORDER, () => ({}));
  assert.deepEqual([info.run, frames.map(({ payload }) => payload.toString())], ["r-1", ["early"]]);
  stream.destroy();
  await daemon.close();
  assert.deepEqual(
    JSON.parse(daemon.heard[0]?.payload.toString() ?? ""),
    ORDER,
    "no environment goes with it",
  );
});

const REFUSED: readonly (readonly [string, readonly (Buffer | string)[], object])[] = [
  [
    "cli.control: a daemon of another version is named",
    ["HTTP/1.1 400 Bad Request\r\ncontent-length: 2\r\n\r\n{}"],
    { code: "cli.control", hint: /another version/ },
  ],
  [
    "the daemon's own refusal comes through with its fix",
    [
      UPGRADED,
      encodeFrame("refused", JSON.stringify({ code: "policy.x", message: "m", hint: "h" })),
    ],
    { code: "policy.x", message: "m", hint: "h" },
  ],
  [
    "cli.control: a frame out of turn is no start",
    [UPGRADED, encodeFrame("exit", "{}")],
    { code: "cli.control" },
  ],
  [
    "cli.environment: a variable that the task does not name is not sent",
    [UPGRADED, encodeFrame("needs", '["ASKED","SECRET"]')],
    { code: "cli.environment", message: /SECRET/ },
  ],
];
for (const [what, answers, wanted] of REFUSED) {
  test(`fault ${what}`, async () => {
    const daemon = await serve(answers);
    const variables = (names: readonly string[]) => pickVariables(names, ORDER.task.source);
    await assert.rejects(startRun(home, ORDER, variables), wanted);
    await daemon.close();
    assert.ok(daemon.heard.every(({ type }) => type === "start"));
  });
}

test("fault cli.unreachable: no daemon there", async () => {
  await assert.rejects(
    startRun(home, ORDER, () => ({})),
    { code: "cli.unreachable" },
  );
});
