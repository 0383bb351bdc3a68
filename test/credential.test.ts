/**
 * `cofferdam credential` and the vault behind it: where secrets come in, and that they come out nowhere.
 */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { once } from "node:events";
import {
  existsSync,
  globSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { createServer, request, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { after, before, test } from "node:test";
import type { CredentialInfo } from "../src/api/index.ts";
import { eventually, TestHome, type Result } from "./support/home.ts";

const home = new TestHome();
before(async () => assert.equal((await home.call(["ps"])).code, 0));
after(() => home.close());

/** Planted everywhere a secret may come in; looked for everywhere it must not come out. */
const MARK = "Pl4ntedS3cretW0rd";
const secretOf = (name: string) => `ghp_${MARK}${name}0123456789abcdefXY`;
const HOST = ["--host", "api.example.com"];

async function add(name: string, args: readonly string[] = HOST): Promise<Result> {
  return home.call(["credential", "add", name, ...args, "--stdin"], {
    input: `${secretOf(name)}\n`,
  });
}

/** The same by the control contract, for a site without TLS. */
async function put(name: string, host: string): Promise<void> {
  const spec = {
    ...{ name, binding: { scheme: "http", hosts: [host], port: 80 } },
    how: { kind: "bearer" },
  };
  await home.ask("credential.add", { spec, secret: { value: secretOf(name) } });
}

async function show(name: string): Promise<CredentialInfo> {
  const { stdout, stderr } = await home.call(["credential", "show", name, "--json"]);
  assert.equal(stderr, "");
  return JSON.parse(stdout) as CredentialInfo;
}

/** Asks the daemon by its socket. */
async function post(name: string, body: unknown): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const to = { socketPath: `${home.state}/daemon.sock`, path: `/v1/${name}`, method: "POST" };
    const sent = request(to, (response) => {
      let text = "";
      response.on("data", (data: Buffer) => (text += data.toString()));
      response.on("end", () => resolve({ status: response.statusCode ?? 0, text }));
    });
    sent.on("error", reject);
    sent.end(JSON.stringify(body));
  });
}

/** Runs `cofferdam ARGS` at a terminal of its own, with `typed` as what a person types. */
function atTerminal(
  args: readonly string[],
  typed: string,
): { code: number | null; shown: string } {
  // Python's pty module: it waits for the prompt, types, and gives back what the screen showed and the exit code.
  const program = `
import os, pty, sys
pid, screen = pty.fork()
if pid == 0:
    os.execv(sys.argv[1], sys.argv[1:])
shown, typed = b"", os.environb[b"TYPED"].split(b"|")
while True:
    try:
        data = os.read(screen, 4096)
    except OSError:
        break
    if not data:
        break
    shown += data
    if typed and shown.rstrip().endswith(b":"):
        os.write(screen, typed.pop(0) + b"\\r")
        shown += b"#"
sys.stdout.buffer.write(shown)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
`;
  const bin = join(import.meta.dirname, "..", "bin", "cofferdam");
  const env = { ...process.env, COFFERDAM_HOME: home.state, TYPED: typed };
  const options = { env, cwd: home.workspace, encoding: "utf8", timeout: 60_000 } as const;
  const { status, stdout } = spawnSync("python3", ["-c", program, bin, ...args], options);
  return { code: status, shown: stdout };
}

test("a credential comes in by standard input, file and .env line, and is told without its secret", async () => {
  assert.equal((await add("piped")).code, 0);
  const file = join(home.root, "secret.txt");
  writeFileSync(file, `${secretOf("filed")}\n`, { mode: 0o600 });
  assert.equal((await home.call(["credential", "add", "filed", ...HOST, "--file", file])).code, 0);
  const env = join(home.root, "some.env");
  writeFileSync(env, `# tokens\nOTHER=1\nexport API_TOKEN="${secretOf("lined")}" # ours\n`);
  const lined = ["credential", "add", "lined", ...HOST, "--dotenv", `${env}:API_TOKEN`];
  assert.equal((await home.call(lined)).code, 0);
  const { stdout } = await home.call(["credential", "list"]);
  for (const name of ["piped", "filed", "lined"])
    assert.match(stdout, new RegExp(`^${name} +bearer`, "m"));
  assert.doesNotMatch(stdout, new RegExp(MARK));
  const info = await show("lined");
  assert.deepEqual(info.binding, { scheme: "https", hosts: ["api.example.com"], port: 443 });
  assert.match(info.fingerprint, /^[\da-f]{12}$/);
});

test("it comes in by a hidden prompt at a terminal", async () => {
  const { code, shown } = atTerminal(["credential", "add", "typed", ...HOST], secretOf("typed"));
  assert.equal(code, 0, shown);
  assert.match(shown, /not shown/);
  assert.doesNotMatch(shown, new RegExp(MARK), "what was typed is not on the screen");
  assert.equal((await show("typed")).name, "typed");
});

test("cli.cancelled: Ctrl-C at the prompt adds nothing", async () => {
  const { code, shown } = atTerminal(["credential", "add", "stopped", ...HOST], "half\u0003");
  assert.equal(code, 125);
  assert.match(shown, /cancelled/);
  assert.match(
    (await home.call(["credential", "show", "stopped"])).stderr,
    /no credential of that name/,
  );
});

const REFUSED: readonly (readonly [string, readonly string[], RegExp])[] = [
  [
    "cli.secret_argument",
    ["add", "x", secretOf("x"), ...HOST],
    /never taken from the command line/,
  ],
  ["cli.secret_argument", ["rotate", "x", secretOf("x")], /never taken from the command line/],
  [
    "cli.secret_argument",
    ["add", "x", ...HOST, "--", secretOf("x")],
    /never taken from the command line/,
  ],
  ["cli.secret_argument", ["list", secretOf("x")], /never taken from the command line/],
  ["cli.credential_name", ["add", secretOf("x"), ...HOST], /needs a name/],
  ["cli.credential_name", ["import", "cursor"], /knows claude, codex and gemini/],
  ["cli.no_terminal", ["add", "x", ...HOST], /no terminal/],
  ["cli.no_terminal", ["show", "piped", "--reveal"], /no terminal/],
  ["cli.no_secret", ["add", "x", ...HOST, "--stdin"], /nothing came from standard input/],
  ["cli.no_login", ["import", "claude", "--file", "/nowhere"], /no login to read/],
  ["cli.usage", ["add", "x", "--stdin"], /needs --host/],
  ["cli.usage", ["add", "x", ...HOST, "--kind", "magic"], /no such kind/],
  ["cli.usage", ["add", "x", ...HOST, "--user", "a", "--stdin"], /nothing for bearer/],
  ["cli.usage", ["protect"], /takes --passphrase or --key-file/],
  ["vault.spec", ["add", "x", "--host", "10.0.0.1", "--stdin"], /binding\.hosts/],
  ["vault.no_credential", ["revoke", "nothing"], /no credential/],
  ["vault.login", ["import", "codex", "--file", "/etc/hostname"], /not a login/],
];
for (const [code, args, words] of REFUSED) {
  test(`INV-56 ${code}: credential ${args.slice(0, 2).join(" ").replaceAll(MARK, "...")} ... is refused`, async () => {
    const input = code === "vault.spec" ? secretOf("x") : "";
    // A session of its own: no terminal of whoever runs the tests is there to ask at.
    const { status, stderr, stdout } = spawnSync(
      "setsid",
      ["-w", join(import.meta.dirname, "..", "bin", "cofferdam"), "credential", ...args],
      { input, encoding: "utf8", env: { ...process.env, COFFERDAM_HOME: home.state } },
    );
    assert.notEqual(status, 0);
    assert.match(stderr, words);
    assert.match(stderr, /fix: |usage|nothing for|takes/);
    assert.doesNotMatch(stdout + stderr, new RegExp(MARK), "a secret is not repeated");
  });
}

test("cli.passphrase: two passphrases that differ change nothing", () => {
  const { code, shown } = atTerminal(
    ["credential", "protect", "--passphrase"],
    "first one|second one",
  );
  assert.equal(code, 125);
  assert.match(shown, /the two differ/);
});

test("INV-56: a secret is shown at a terminal, once its name is typed there, and that is on record", async () => {
  const wrong = atTerminal(["credential", "show", "piped", "--reveal"], "yes");
  assert.match(wrong.shown, /nothing is revealed/);
  assert.doesNotMatch(wrong.shown, new RegExp(MARK));
  const revealed = async () =>
    (await home.log()).filter(({ data }) => data?.["action"] === "revealed");
  assert.equal((await revealed()).length, 0);
  const right = atTerminal(["credential", "show", "piped", "--reveal"], "piped");
  assert.ok(right.shown.includes(secretOf("piped")));
  const [entry] = await revealed();
  assert.equal(entry?.data?.["credential"], "piped");
});

test("INV-56 daemon.reveal: the daemon gives no secret without the typed name", async () => {
  for (const confirm of ["", "yes", "PIPED"]) {
    const { status, text } = await post("credential.reveal", { name: "piped", confirm });
    assert.equal(status, 400);
    assert.match(text, /daemon\.reveal/);
    assert.doesNotMatch(text, new RegExp(MARK));
  }
});

test("INV-56: no other endpoint answers with a secret, whatever goes wrong", async () => {
  const secret = { value: secretOf("socket") };
  const binding = { scheme: "https", hosts: ["a.example"], port: 443 };
  const bad: readonly (readonly [string, unknown])[] = [
    ["credential.add", { spec: { name: secret.value, binding, how: { kind: "bearer" } }, secret }],
    ["credential.add", { spec: { name: "x", binding, how: { kind: secret.value } }, secret }],
    ["credential.add", { spec: { name: "piped", binding, how: { kind: "bearer" } }, secret }],
    [
      "credential.add",
      {
        spec: { name: "x", binding, how: { kind: "bearer" } },
        secret: { value: `${secret.value}\n` },
      },
    ],
    ["credential.rotate", { name: secret.value, secret }],
    ["credential.show", { name: secret.value }],
    ["credential.import", { agent: "claude", text: JSON.stringify({ claudeAiOauth: secret }) }],
    ["credential.unlock", { passphrase: 7, secret }],
  ];
  for (const [name, body] of bad) {
    const { text } = await post(name, body);
    assert.doesNotMatch(text, new RegExp(MARK), name);
  }
});

test("rotating and revoking are on record by name and fingerprint; what is revoked is gone", async () => {
  assert.equal((await add("brief")).code, 0);
  const first = await show("brief");
  const input = `${secretOf("again")}\n`;
  assert.equal((await home.call(["credential", "rotate", "brief", "--stdin"], { input })).code, 0);
  const second = await show("brief");
  assert.notEqual(second.fingerprint, first.fingerprint);
  assert.ok(second.rotatedAt !== undefined);
  assert.equal((await home.call(["credential", "revoke", "brief"])).code, 0);
  assert.equal((await home.call(["credential", "show", "brief"])).code, 125);
  const steps = (await home.log()).filter(({ data }) => data?.["credential"] === "brief");
  assert.deepEqual(
    steps.map(({ type, data }) => [type, data?.["action"], data?.["fingerprint"]]),
    [
      ["credential", "added", first.fingerprint],
      ["credential", "rotated", second.fingerprint],
      ["credential", "revoked", second.fingerprint],
    ],
  );
});

test("a login of an agent is imported", async () => {
  const file = join(home.root, "claude.json");
  const oauth = {
    accessToken: `sk-ant-oat01-${MARK}`,
    refreshToken: `sk-ant-ort01-${MARK}`,
    expiresAt: 1,
  };
  writeFileSync(file, JSON.stringify({ claudeAiOauth: oauth }));
  for (const action of ["added", "rotated"]) {
    assert.equal((await home.call(["credential", "import", "claude", "--file", file])).code, 0);
    const entry = (await home.log()).findLast(({ data }) => data?.["credential"] === "claude");
    assert.equal(entry?.data?.["action"], action);
  }
});

test("test sends the credential where it is bound to, and says what the site made of it", async (t) => {
  const seen: IncomingMessage["headers"][] = [];
  const paths: string[] = [];
  const server = createServer((asked, response) => {
    seen.push(asked.headers);
    paths.push(asked.url ?? "");
    const isGood = asked.headers.authorization === `Bearer ${secretOf("site")}`;
    const status = asked.url === "/gone" ? 404 : isGood || asked.url?.includes(MARK) ? 302 : 401;
    response.writeHead(status, { location: "http://evil.example/" }).end("x");
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const dial = ["--dial", `127.0.0.1:${(server.address() as AddressInfo).port}`];
  const site = ["--scheme", "http", "--host", "site.example"];
  await add("site", site);
  const accepted = await home.call(["credential", "test", "site", ...dial, "--json"]);
  assert.equal(accepted.code, 0, accepted.stderr);
  assert.match(accepted.stdout, /"accepted"/, "and the redirect was not followed");
  assert.equal(seen[0]?.host, "site.example");
  assert.equal(
    (await home.call(["credential", "test", "site", ...dial, "--path", "/gone"])).code,
    1,
  );
  await add("other", site);
  const refused = await home.call(["credential", "test", "other", ...dial]);
  assert.match(refused.stdout, /^refused: HEAD http:\/\/site\.example:80\/ answered 401/);
  await add("bot", [...site, "--kind", "path"]);
  const path = ["--path", "/bot{credential}/getMe", "--method", "GET"];
  const told = await home.call(["credential", "test", "bot", ...dial, ...path]);
  assert.equal(told.code, 0);
  assert.equal(paths.at(-1), `/bot${secretOf("bot")}/getMe`);
  assert.doesNotMatch(told.stdout, new RegExp(MARK));
  assert.ok((await show("site")).usedAt !== undefined);
});

test("daemon.credential_host, daemon.credential_test, vault.place: tests that cannot be made are named", async () => {
  await add("wide", ["--host", "*.example.org"]);
  assert.match(
    (await post("credential.test", { name: "wide", method: "HEAD", path: "/" })).text,
    /daemon\.credential_host/,
  );
  const evil = { name: "wide", method: "HEAD", path: "/", host: "evil.example" };
  assert.match((await post("credential.test", evil)).text, /vault\.place/);
  const dead = { name: "piped", method: "HEAD", path: "/", dial: "127.0.0.1:1" };
  const { text } = await post("credential.test", dead);
  assert.match(text, /daemon\.credential_test/);
  assert.doesNotMatch(text, new RegExp(MARK));
});

test("INV-278: what tries a credential is on record before it is sent: who asked, the path, and where to", async (t) => {
  const tried = async () =>
    (await home.log()).flatMap(({ data }) =>
      data?.["credential"] === "tried" ? [data["action"]] : [],
    );
  const known: (readonly unknown[])[] = [];
  const server = createServer(async (_, response) => {
    known.push(await tried());
    response.end();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const dial = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  await put("tried", "*.site.example");
  const asked = { name: "tried", method: "GET", host: "a.site.example", dial } as const;
  const uid = process.getuid?.() ?? -1;
  const of = (path: string, at = dial) =>
    `cli:${uid} sends GET ${path} to a.site.example at ${at} with`;
  assert.equal((await post("credential.test", { ...asked, path: "/do?it=now" })).status, 200);
  assert.deepEqual(known, [["added", of("/do?it=now")]]);
  // Of what nobody answers it is not known what came of it.
  const dead = { ...asked, path: "/again", dial: "127.0.0.1:1" };
  assert.match((await post("credential.test", dead)).text, /daemon\.credential_test/);
  assert.deepEqual((await tried()).slice(2), [of("/again", dead.dial)]);
  assert.equal((await post("credential.test", { ...asked, path: "no path" })).status, 400);
  assert.equal((await tried()).length, 3, "what is no request tries nothing");
});

test("INV-278 daemon.channel_credential: what approvers are asked with is tried by nobody's request; another of its site is", async (t) => {
  const seen: string[] = [];
  const server = createServer((asked, response) => {
    seen.push(asked.headers.authorization ?? "");
    response.end();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const file = join(home.state, "approvers.yaml");
  t.after(() => {
    rmSync(file, { force: true });
    server.closeAllConnections();
    server.close();
  });
  await put("card-bot", "chat.example");
  await put("neighbour", "chat.example");
  const dial = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  const trying = async (name: string) =>
    post("credential.test", { name, method: "HEAD", path: "/", dial });
  // Its channel never begins: the token is for another place than the channel's.
  const listed = `approvers:
  - { name: ada, identities: [telegram:7] }
channels:
  telegram: { token: { credential: card-bot }, chats: [7] }
`;
  const problem = async (words: RegExp) =>
    eventually(String(words), 60_000, async () =>
      words.test(JSON.stringify(await home.ask("approvals.channels", {}))),
    );
  const refused = async () => {
    const { status, text } = await trying("card-bot");
    assert.equal(status, 400);
    assert.match(text, /daemon\.channel_credential/);
    assert.equal((await trying("neighbour")).status, 200);
  };
  writeFileSync(file, listed, { mode: 0o600 });
  await problem(/card-bot is for http:\/\/chat\.example/);
  await refused();
  writeFileSync(file, `${listed}nonsense: 1\n`);
  await problem(/nonsense/);
  await refused(); // A list that cannot be read takes nothing back.
  assert.deepEqual(seen, Array(2).fill(`Bearer ${secretOf("neighbour")}`));
  const about = (await home.log()).filter(({ data }) => data?.["credential"] === "card-bot");
  assert.deepEqual(
    about.map(({ data }) => data?.["action"]),
    ["added"],
  );
});

test("INV-56: while a secret is handed over it is in no command line and no environment", async () => {
  const child = home.spawn(["credential", "add", "handed", ...HOST, "--stdin"]);
  child.stdin?.write(secretOf("handed"));
  const ended = once(child, "close");
  for (const file of globSync("/proc/[0-9]*/{cmdline,environ}")) {
    let text = "";
    try {
      text = readFileSync(file, "latin1");
    } catch {
      continue; // It has ended, or is a kernel thread.
    }
    // This test's own child processes are not exempt; nobody gets one by arguments.
    assert.ok(!text.includes(secretOf("handed")), file);
  }
  child.stdin?.end();
  assert.deepEqual(await ended, [0, null]);
});

test("INV-4 INV-56: a run sees nothing of the vault or its key", async () => {
  writeFileSync(join(home.workspace, "mine.txt"), "mine");
  const vault = `${home.state}/vault/vault`;
  const script = `cat mine.txt; cat ${vault} ${home.state}/keys/vault.key; ls ${home.state}; find / -name 'vault*' -path '*${home.state}*' 2>/dev/null; env`;
  const { stdout, stderr } = await home.run(["sh", "-c", script]);
  assert.match(stdout, /^mine/, "the twin: its own file it reads");
  assert.doesNotMatch(stdout, /cofferdam-vault|cofferdam vault key/);
  assert.match(stderr, /vault: No such file/);
  assert.doesNotMatch(stdout, new RegExp(MARK));
});

test("INV-56: after all that, no file of the daemon's holds a secret, in any common form", async () => {
  const files = globSync(`${home.state}/**`, { withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
  assert.ok(
    files.some((file) => file.endsWith("daemon.log")) &&
      files.some((file) => file.includes("ledger")),
  );
  const inner = Buffer.from(MARK).toString("base64").slice(0, 20);
  const forms = [MARK, encodeURIComponent(MARK), Buffer.from(MARK).toString("hex"), inner];
  for (const file of files) {
    // The record replaces a tile that was not full by the next.
    if (!existsSync(file)) continue;
    const bytes = readFileSync(file);
    for (const form of forms) assert.ok(!bytes.includes(form), `${file} holds ${form}`);
  }
  assert.equal(statSync(join(home.state, "vault", "vault")).mode & 0o777, 0o600);
});

test("INV-50: a vault locked by a passphrase opens by it alone, and runs go on without", async () => {
  const input = "correct horse battery\n";
  const call = (args: readonly string[], given = input) =>
    home.call(["credential", ...args], { input: given });
  assert.equal((await call(["protect", "--passphrase", "--stdin"])).code, 0);
  await home.call(["stop", "--force"]);
  assert.match((await call(["list"])).stderr, /locked by a passphrase/);
  assert.equal((await home.run(["true"])).code, 0);
  assert.match((await call(["unlock", "--stdin"], "wrong horse\n")).stderr, /not the vault's/);
  assert.match((await call(["list"])).stderr, /locked by a passphrase/);
  assert.equal((await call(["unlock", "--stdin"])).code, 0);
  assert.match((await call(["list"])).stdout, /^piped/m);
  assert.equal((await call(["protect", "--key-file"])).code, 0);
});

test("INV-50: a damaged vault is named, gives nothing, is left as it is, and ends no run", async () => {
  await home.call(["stop", "--force"]);
  const file = join(home.state, "vault", "vault");
  const whole = readFileSync(file, "utf8");
  const damaged = whole.replace('"entries"', '"entriez"');
  writeFileSync(file, damaged);
  assert.match((await home.call(["credential", "list"])).stderr, /the vault is damaged/);
  assert.equal((await add("late")).code, 125);
  assert.equal((await home.run(["true"])).code, 0);
  await home.call(["stop", "--force"]);
  assert.equal(readFileSync(file, "utf8"), damaged);
  writeFileSync(file, whole);
  assert.match((await home.call(["credential", "list"])).stdout, /^piped/m);
});

test("a state folder in which the vault cannot be made is named, and `cofferdam credential` says why", async () => {
  const other = new TestHome();
  mkdirSync(other.state, { mode: 0o700 });
  writeFileSync(join(other.state, "vault"), "");
  const { code, stderr } = await other.call(["credential", "list"]);
  assert.equal(code, 125);
  assert.match(stderr, /the folder of the vault cannot be made/);
  assert.equal((await other.run(["true"])).code, 0, "and runs go on without");
  await other.close();
});
