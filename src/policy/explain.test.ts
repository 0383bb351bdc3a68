import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { test } from "node:test";
import { parse } from "yaml";
import type { Json } from "../action/index.ts";
import { catalogSystems } from "../catalog/index.ts";
import { DETECTOR_ABOUTS } from "../detect/index.ts";
import { explainTask, isSecretName } from "./explain.ts";
import { compilePolicy } from "./policy.ts";
import { parseTaskFile } from "./task-file.ts";
import { taskFileJsonSchema } from "./task-schema.ts";
import { NOW_MS, SYSTEMS } from "./testing.test.ts";

const ROOT = join(import.meta.dirname, "..", "..");
const read = (path: string) => readFileSync(join(ROOT, path), "utf8");
const EXAMPLE = /```yaml\n([\s\S]*?)```/.exec(read("docs/reference/task-file.md"))?.[1] ?? "";
const explain = (source: string) =>
  explainTask(parseTaskFile(source, "t", NOW_MS, SYSTEMS, DETECTOR_ABOUTS)).join("\n");

test("the complete example of docs/reference/task-file.md is a task", () => {
  const task = parseTaskFile(EXAMPLE, "task-file.md", NOW_MS, SYSTEMS, DETECTOR_ABOUTS);
  assert.equal(task.grants.length, 8);
});

test("every key of the schema stands in the complete example", () => {
  const missing: string[] = [];
  const walk = (schema: Json, data: readonly unknown[], path: string): void => {
    const {
      properties = {},
      items,
      anyOf,
    } = schema as {
      properties?: Record<string, Json>;
      items?: Json;
      anyOf?: readonly Json[];
    };
    for (const [key, part] of Object.entries(properties)) {
      const values = data.flatMap((one) =>
        typeof one === "object" && one !== null && key in one
          ? [Reflect.get(one, key) as unknown]
          : [],
      );
      if (values.length === 0) missing.push(`${path}.${key}`);
      walk(part, values, `${path}.${key}`);
    }
    if (items !== undefined) walk(items, data.flat(), `${path}[]`);
    for (const choice of anyOf ?? [])
      if (!("items" in (choice as object))) walk(choice, data, path);
  };
  walk(taskFileJsonSchema(), [parse(EXAMPLE)], "");
  assert.deepEqual(missing, []);
});

test("every key of the schema is described, for editors and for the hints of the parser", () => {
  const bare: string[] = [];
  const walk = (schema: Json, path: string): void => {
    const { properties = {}, items } = schema as {
      properties?: Record<string, Json>;
      items?: Json;
    };
    for (const [key, part] of Object.entries(properties)) {
      // Every kind of finding answers to the description of `respond`.
      if (!path.startsWith(".respond") && !Object.hasOwn(part as object, "description"))
        bare.push(`${path}.${key}`);
      walk(part, `${path}.${key}`);
    }
    if (items !== undefined) walk(items, `${path}[]`);
  };
  walk(taskFileJsonSchema(), "");
  assert.deepEqual(bare, []);
});

test("docs/reference/task-file.schema.json is what the schema gives", (t) => {
  // To write it anew: scripts/node --test --test-update-snapshots src/policy/explain.test.ts
  t.assert.fileSnapshot(taskFileJsonSchema(), join(ROOT, "docs/reference/task-file.schema.json"));
});

const PROFILES = globSync("profiles/*.yaml", { cwd: ROOT }).sort();

test("there are the profiles that the command line names", () => {
  const names = PROFILES.map((file) => basename(file, ".yaml"));
  assert.deepEqual(names, ["claude-code", "codex", "gemini-cli", "opencode", "shell"]);
});

for (const file of PROFILES) {
  test(`${file} is a task of that name, without unattended actions, and keeps keys outside or warns`, () => {
    const task = parseTaskFile(read(file), file, NOW_MS, catalogSystems());
    assert.equal(task.task, basename(file, ".yaml"));
    assert.ok(
      task.grants.every(({ allow }) => allow.every(({ unattended }) => unattended === undefined)),
    );
    assert.ok(task.grants.every(({ tls, dial }) => tls && dial === undefined));
    assert.ok(task.grants.every(({ allow }) => allow.every(({ paths }) => !paths.includes("/**"))));
    const text = explainTask(task).join("\n");
    for (const name of task.environment.filter(isSecretName)) {
      assert.match(
        text,
        new RegExp(`Warning: ${name} looks like a secret. The run itself holds it`),
      );
    }
    if (task.task !== "shell") {
      assert.match(text, /what your variable \w+_API_KEY holds.*which the run never holds/);
      assert.match(read(file), /sandbox/i, "says how the agent's own sandbox is switched off");
    }
  });
}

test("the profile shell grants nothing and passes no secret", () => {
  const task = parseTaskFile(read("profiles/shell.yaml"), "shell.yaml", NOW_MS);
  assert.deepEqual(compilePolicy(task).grants, []);
  assert.deepEqual(task.environment.filter(isSecretName), []);
  assert.match(explainTask(task).join("\n"), /It can reach nothing outside/);
});

const SAYS = [
  [/^Task publish-docs: Publish the documentation\.$/m, "name and purpose"],
  [
    /docs: it can reach docs\.example\.com and every name below cdn\.example\.com on port 443, encrypted/,
    "hosts in words",
  ],
  [/docs: it may read with GET and HEAD at any path\.$/m, "what passes"],
  [
    /docs: it may keep a WebSocket open at \/live\/\* and talk through it both ways, also in binary .*UNINSPECTED/,
    "what a WebSocket may carry",
  ],
  [/crm: it may read private data with GET at \/api\/contacts\/\*\.$/m, "what is private"],
  [
    /site: the connection really goes to 127\.0\.0\.1:8443, which is this machine itself\.$/m,
    "what dial means",
  ],
  [
    /partner: the connection goes through the HTTP proxy 10\.0\.0\.1:3128, which .* nothing of what is said\.$/m,
    "what a proxy means",
  ],
  [/pinned: it can reach .* port 443, encrypted \(TLS\) past the gateway\.$/m, "splice"],
  [/^Warning: pinned is not inspected: only the name .* a tunnel or mining included/m, "its cost"],
  [/backup: it can reach .* on port 22, by any protocol\.$/m, "opaque"],
  [/^Warning: backup may carry ssh, so a tunnel from outside into the run/m, "a named tunnel"],
  [
    /^Port 3000 of this machine, at 127\.0\.0\.1 and ::1 only, leads into the run: /m,
    "a published port",
  ],
  [/^Port 8081 of this machine, .* leads into the run \(port 8080 inside\): /m, "two ports"],
  [/verified with the certificates in \.\/corp-ca\.pem too/, "what ca means"],
  [
    /publish and delete with POST and DELETE .* - without asking anybody, 20 times in any 1 day, until the end of 2027-06-30 \(UTC\), because: Pages/,
    "what passes unattended",
  ],
  [/private data from crm, whatever changes another system but site needs a person/, "pairs"],
  [
    /It can reach nothing else: no other name or port, no address .*no SSH.* except as said above\.$/m,
    "what is not reachable",
  ],
  [/^It ends after 2 hours at the latest\.$/m, "lifetime"],
  [
    /^It may use at most 2 processors, 4 GiB of memory, 512 processes, 10 GiB of disk, 256 MiB of recordings of its terminals and 3600 seconds of GPU time\.$/m,
    "limits",
  ],
  [/^It may use GPU 0\.$/m, "GPU"],
  [
    /^Warning: DOCS_TOKEN looks like a secret\. The run itself holds it/m,
    "a secret that passes in",
  ],
  [
    /mining cryptocurrency, attacking the sandbox or tampering with the record, the run is killed\.$/m,
    "what a finding does",
  ],
  [/Warning: the detector beacon is off: .*not found/, "a detector that is off"],
  [/The detector dns\.tunnel is set otherwise than usual: bytes 3000\./, "a threshold"],
] as const;
for (const [pattern, what] of SAYS) {
  test(`the explanation of the complete example says ${what}`, () =>
    assert.match(explain(EXAMPLE), pattern));
}

test("what waits for a person is said to", () => {
  const text = explain(`task: a
purpose: b
grants:
  - { system: http, name: x, hosts: [x.example], ports: [80], allow: [{ methods: [GET, DELETE], paths: ["/**"] }] }
`);
  assert.match(text, /^x: it may read with GET at any path\.$/m);
  assert.match(
    text,
    /^x: it may delete with DELETE at any path - but each time a person must confirm, who sees exactly what will happen\.$/m,
  );
  assert.match(text, /unencrypted \(HTTP\)/);
  assert.match(text, /sets no limit of its own on processors, memory, processes and disk/);
});

const PLACES = [
  ["10.0.0.5:22", /internal network/],
  ["[fd00::1]:80", /internal network/],
  ["169.254.169.254:80", /credentials/],
  ["[::1]:80", /this machine itself/],
  ["93.184.216.34:443", /a fixed address/],
] as const;
for (const [dial, says] of PLACES) {
  test(`dial ${dial} is said to be ${says.source}`, () => {
    const text = explain(
      `task: a\npurpose: b\ngrants: [{ system: http, name: x, hosts: [x.example], dial: "${dial}", allow: [{ methods: [GET], paths: ["/**"] }] }]`,
    );
    assert.match(text, says);
  });
}

const SECRETS = [
  ["ANTHROPIC_API_KEY", true],
  ["GITHUB_TOKEN", true],
  ["DbPassword", true],
  ["AWS_SECRET_ACCESS_KEY", true],
  ["OPENAI_API_KEY_2", true],
  ["SSH_KEYS", true],
  ["DATABASE_URL", true],
  ["GOOGLE_APPLICATION_CREDENTIALS", true],
  ["LANG", false],
  ["KEYBOARD_LAYOUT", false],
  ["ANTHROPIC_MODEL", false],
  ["TOKENIZERS_PARALLELISM", false],
] as const;
for (const [name, secret] of SECRETS) {
  test(`${name} ${secret ? "looks like a secret" : "does not look like a secret"}`, () => {
    assert.equal(isSecretName(name), secret);
  });
}
