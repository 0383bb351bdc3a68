/**
 * Recordings of terminals at a real sshd, by the broker alone: a real OpenSSH client types, waiting for what it sees.
 */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import type { Lease } from "../../src/vault/index.ts";
import { CastReader, LineSearch, ScreenText } from "../../src/recording/index.ts";
import { eventually } from "../support/home.ts";
import { Sshd } from "../support/sshd.ts";
import { BrokerKit, UNATTENDED, type KitOptions } from "./session-kit.ts";

const SECRET = "s3cret-of-the-vault";
const sshd = new Sshd();
const kits: BrokerKit[] = [];
before(() => sshd.start());
after(async () => {
  for (const kit of kits) await kit.close();
  await sshd.close();
});

async function kit(options: Partial<KitOptions> = {}): Promise<BrokerKit> {
  const attach = { kind: "ssh-key", user: sshd.user, privateKey: sshd.userKey } as const;
  const lease: Lease = { credential: "c", attach, secrets: [SECRET] };
  const allow = [{ verbs: ["shell", "exec", "script"], unattended: UNATTENDED }];
  const made = new BrokerKit({ port: sshd.port, hostKey: sshd.hostKey, lease, allow, ...options });
  kits.push(await made.start());
  return made;
}

interface Cast {
  readonly path: string;
  readonly text: string;
  readonly outcome: Readonly<Record<string, unknown>>;
  readonly recording: Readonly<Record<string, unknown>>;
}

/** The recording of the kit's `n`th outcome. */
async function castOf(it: BrokerKit, n = 0): Promise<Cast> {
  const [, outcome] = await eventually("an outcome", 10_000, () => it.outcomes[n]);
  const recording = outcome["recording"] as Cast["recording"];
  const path = join(it.root, "runs/r-kit/recordings", `${String(recording["id"])}.cast.part`);
  return { path, text: readFileSync(path, "utf8"), outcome, recording };
}

/** Reads it as its specification says, and takes nothing else. */
function strictly(text: string): {
  readonly header: Record<string, unknown>;
  readonly shown: string;
} {
  assert.ok(text.endsWith("\n"));
  const [first = "", ...lines] = text.slice(0, -1).split("\n");
  const header = JSON.parse(first) as Record<string, unknown>;
  assert.equal(header["version"], 2);
  for (const side of ["width", "height"])
    assert.ok(Number.isInteger(header[side]) && Number(header[side]) > 0);
  assert.ok(Number.isInteger(header["timestamp"]));
  let before = 0;
  const shown: string[] = [];
  for (const line of lines) {
    const event = JSON.parse(line) as readonly [number, string, string];
    assert.equal(event.length, 3);
    assert.ok(event[0] >= before, "time never goes back");
    [before] = event;
    assert.ok(event[1] === "o" || event[1] === "r", "nothing typed is in it");
    if (event[1] === "o") shown.push(event[2]);
    else assert.match(event[2], /^\d+x\d+$/);
  }
  return { header, shown: shown.join("") };
}

/** Types each text once the screen shows what it waits for, by `ssh -tt`. */
async function typed(
  it: BrokerKit,
  steps: readonly (readonly [wait: RegExp, type: string])[],
): Promise<{ readonly code: number | null; readonly shown: string; readonly out: string }> {
  const child = it.spawn(["-tt", "127.0.0.1"]);
  const rest = [...steps];
  let shown = "";
  let out = "";
  let at = 0;
  child.stdout.on("data", (data: Buffer) => {
    shown += data.toString("latin1");
    out += data.toString("latin1");
    for (;;) {
      const [next] = rest;
      const found = next?.[0].exec(shown.slice(at));
      if (next === undefined || found === null || found === undefined) return;
      at += found.index + found[0].length;
      rest.shift();
      child.stdin.write(next[1]);
    }
  });
  child.stderr.on("data", (data: Buffer) => (shown += data.toString("latin1")));
  const [code] = (await once(child, "close")) as [number | null];
  assert.deepEqual(rest, [], shown.slice(-2000));
  return { code, shown, out };
}

const PROMPT = /[#$] /;

test("INV-129: megabytes of a shell are recorded whole, as asciinema reads it, and found again", async () => {
  const it = await kit();
  const { code, out } = await typed(it, [
    [PROMPT, "seq 1 400000; printf 'nee\\033[31mdle\\033[0m-%s\\n' here; exit 3\r"],
  ]);
  assert.equal(code, 3);
  const { path, text, recording } = await castOf(it);
  const { header, shown: recorded } = strictly(text);
  assert.match(String(header["title"]), /interactive shell at server\.example/);
  assert.ok(recorded === out, "what the agent saw, no more and no less");
  assert.ok(text.length > 3_000_000);
  assert.equal(recording["bytes"], statSync(path).size);
  assert.equal(recording["sha256"], createHash("sha256").update(text).digest("hex"));
  assert.equal(recording["isComplete"], true);
  assert.equal(statSync(path).mode & 0o777, 0o600);
  // It asks for a terminal, which script(1) has.
  execFileSync("script", ["-qec", `asciinema cat ${path} > ${it.root}/played`, "/dev/null"]);
  assert.equal(readFileSync(join(it.root, "played"), "latin1"), recorded);
  const screen = new ScreenText();
  const lines = new CastReader().push(Buffer.from(text)).flatMap((event) => screen.push(event));
  const numbers = ["needle-here", "399999"].flatMap((one) => new LineSearch(one).of(lines));
  assert.equal(numbers.length, 2);
});

test("what is typed is recorded where the terminal echoes it, and a password is not", async () => {
  const it = await kit();
  await typed(it, [
    [PROMPT, "read -s -p 'Pass''word: ' pw; echo; echo len=${#pw}; exit\r"],
    [/Password: /, "hunter2hunter2\r"],
  ]);
  const { shown } = strictly((await castOf(it)).text);
  assert.match(shown, /read -s -p/);
  assert.match(shown, /len=14/);
  assert.ok(!shown.includes("hunter2"), shown);
});

test("a credential that a server says is in no recording, also where both streams make it up", async () => {
  const it = await kit();
  const half = SECRET.slice(0, 9);
  await it.ssh(["-T", "127.0.0.1"], {
    input: `printf '<${half}' ; sleep 0.2; printf '%s>' '${SECRET.slice(9)}' >&2; sleep 0.2; printf '(${SECRET})'\n`,
  });
  const { shown } = strictly((await castOf(it)).text);
  assert.match(shown, /<.{19}>/s);
  assert.ok(!shown.includes(SECRET), shown);
});

test("sizes are recorded as they change; a command at a terminal is recorded as a shell is, and no other", async () => {
  const it = await kit();
  await it.agent((client, done) =>
    client.exec(
      "stty size; read x; stty size",
      { pty: { rows: 30, cols: 99 } },
      (error, channel) => {
        if (error !== undefined) throw error;
        let shown = "";
        channel.on("data", (data: Buffer) => {
          shown += data.toString();
          if (!shown.includes("30 99")) return;
          if (!shown.includes("50 120")) channel.setWindow(50, 120, 0, 0);
          if (!shown.includes("50 120")) channel.write("\n");
        });
        channel.on("close", () => done(shown));
      },
    ),
  );
  const { text, outcome } = await castOf(it);
  const { header, shown } = strictly(text);
  assert.deepEqual([header["width"], header["height"], outcome["exit"]], [99, 30, 0]);
  assert.match(shown, /30 99\r\n[^]*50 120\r\n/);
  assert.match(text, /\[[\d.]+,"r","120x50"\]/);
  await it.run("echo plain");
  const [, plain] = await eventually("an outcome", 10_000, () => it.outcomes[1]);
  assert.equal(plain["recording"], undefined);
});

test("fault recording.full: where a recording is full its shell is ended, and says so", async () => {
  const it = await kit({
    recordingLimits: { oneBytes: 50_000, runBytes: 900_000, allBytes: 60_000 },
  });
  const { code, shown, out } = await typed(it, [
    [PROMPT, "echo pid=$$; while :; do echo on and on; done\r"],
  ]);
  assert.equal(code, 255);
  assert.match(shown, /Cofferdam: its recording is full \(50000 bytes\), so it is ended/);
  const { text, outcome, recording } = await castOf(it);
  assert.equal(outcome["failed"], "recording.full");
  assert.equal(recording["isComplete"], false);
  assert.ok(text.length <= 50_000);
  assert.equal(out, strictly(text).shown, "INV-129: what is not recorded is not shown");
  const [, pid = ""] = /pid=(\d+)/.exec(shown) ?? [];
  await eventually("the shell is gone", 10_000, () => {
    try {
      process.kill(Number(pid), 0);
      return undefined;
    } catch {
      return true;
    }
  });
  // What comes in large pieces ends a recording well before its limit: then there is room for more of them.
  let next = "";
  for (let n = 0; n < 10 && !next.includes("together"); n += 1)
    next = (await typed(it, [[PROMPT, "while :; do echo on and on; done\r"]])).shown;
  assert.match(next, /all recordings together take 60000 bytes/);
  const full = await kit({
    recordingLimits: { oneBytes: 50_000, runBytes: 90_000, allBytes: 100 },
  });
  const never = await typed(full, []);
  assert.match(never.shown, /^Cofferdam: all recordings together take 100 bytes/, "nor begun");
  assert.equal(never.code, 255);
});
