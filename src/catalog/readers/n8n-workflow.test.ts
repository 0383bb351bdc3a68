import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { Effect } from "../../action/index.ts";
import { readWorkflow } from "./n8n-workflow.ts";

interface Given {
  readonly nodes: unknown;
  readonly settings?: Readonly<Record<string, unknown>>;
  readonly active?: boolean;
  readonly current?: Readonly<Record<string, unknown>>;
}

const read = (given: Given, id?: string, isActive?: boolean) =>
  readWorkflow({
    method: "POST",
    path: id === undefined ? {} : { id },
    content: { form: "json", query: [], headers: {} },
    route: { verb: "v", effects: ["write"] },
    values: (reference) => {
      const found: Readonly<Record<string, unknown>> = {
        "body.nodes": given.nodes,
        "body.name": "w",
        "body.active": given.active,
        "body.settings.callerPolicy": given.settings?.["callerPolicy"],
        "body.settings.availableInMCP": given.settings?.["availableInMCP"],
        "body.settings.errorWorkflow": given.settings?.["errorWorkflow"],
        "current.active": isActive,
        ...given.current,
      };
      return found[reference] === undefined ? [] : [found[reference]];
    },
  });
const effectsOf = (nodes: readonly unknown[]): readonly Effect[] => read({ nodes })?.effects ?? [];
const node = (type: string) => ({ name: "a", type, parameters: {} });

const HARMLESS = ["n8n-nodes-base.set", "n8n-nodes-base.if", "n8n-nodes-base.noOp"].map(node);
const KNOWN = [
  "n8n-nodes-base.code",
  "n8n-nodes-base.httpRequest",
  "n8n-nodes-base.emailSend",
  "n8n-nodes-base.slack",
  "n8n-nodes-base.postgres",
  "n8n-nodes-base.webhook",
  "@n8n/n8n-nodes-langchain.agent",
].map(node);
const anyNodes = fc.array(fc.constantFrom(...KNOWN, ...HARMLESS), { maxLength: 8 });

test("fuzz: the order of nodes changes no effect", () => {
  fc.assert(
    fc.property(
      anyNodes.chain((nodes) =>
        fc.tuple(
          fc.constant(nodes),
          fc.shuffledSubarray(nodes, { minLength: nodes.length, maxLength: nodes.length }),
        ),
      ),
      ([nodes, shuffled]) => {
        assert.deepEqual(effectsOf(shuffled), effectsOf(nodes));
      },
    ),
  );
});

test("fuzz: further harmless nodes and unknown types never make it milder", () => {
  fc.assert(
    fc.property(
      anyNodes,
      fc.array(fc.constantFrom(...HARMLESS)),
      fc.string(),
      (nodes, more, type) => {
        const before = effectsOf(nodes);
        const after = effectsOf([...more, ...nodes]);
        assert.deepEqual(after, before);
        const odd = effectsOf([...nodes, node(`community-${type}`)]);
        assert.ok(odd.includes("execute") && before.every((effect) => odd.includes(effect)));
      },
    ),
  );
});

test("harmless nodes only write; a type in another case is unknown", () => {
  assert.deepEqual(effectsOf(HARMLESS), ["write"]);
  assert.ok(effectsOf([node("n8n-nodes-base.Set")]).includes("execute"));
});

test("dangerous nodes stand first, with what they call and which credentials they use", () => {
  const call = {
    name: "Call",
    type: "n8n-nodes-base.httpRequest",
    parameters: { method: "POST", url: "https://a.example/x" },
    credentials: { httpHeaderAuth: { id: "1", name: "Key" } },
    disabled: true,
  };
  const reading = read({ nodes: [...HARMLESS, call, node("n8n-nodes-base.code")] });
  assert.deepEqual((reading?.fields?.["nodes"] as readonly object[] | undefined)?.slice(0, 2), [
    { name: "a", type: "n8n-nodes-base.code", kind: "code" },
    {
      name: "Call",
      type: "n8n-nodes-base.httpRequest",
      kind: "http",
      call: "POST https://a.example/x",
      credentials: ["httpHeaderAuth: Key"],
    },
  ]);
});

test("nodes that cannot be read are unknown", () => {
  for (const nodes of [undefined, {}, "x", [null], [{ name: "a" }], [{ type: 1 }]]) {
    assert.equal(read({ nodes }), undefined);
  }
});

test("only what is known to be inactive is replaced as such", () => {
  assert.equal(read({ nodes: HARMLESS }, "1", false)?.verb, "workflow.update");
  assert.equal(read({ nodes: HARMLESS }, "1", true)?.verb, "workflow.update-active");
  const unknown = read({ nodes: HARMLESS }, "1");
  assert.equal(unknown?.verb, "workflow.update-active");
  assert.ok(unknown?.effects?.includes("execute"));
});

test("what others may start counts as run", () => {
  for (const more of [
    { settings: { callerPolicy: "any" } },
    { settings: { callerPolicy: "workflowsFromAList" } },
    { settings: { availableInMCP: true } },
    { settings: { errorWorkflow: "7" } },
    { current: { "current.settings.availableInMCP": true } },
    { active: true },
  ]) {
    assert.ok(read({ nodes: HARMLESS, ...more })?.effects?.includes("execute"));
  }
  for (const more of [
    { settings: { callerPolicy: "workflowsFromSameOwner" } },
    { settings: { availableInMCP: false } },
    { settings: { errorWorkflow: "" } },
    { active: false },
  ]) {
    assert.deepEqual(read({ nodes: HARMLESS, ...more })?.effects, ["write"]);
  }
});

test("a version that is published counts as active, whatever active says", () => {
  const verb = (version: unknown) =>
    read({ nodes: HARMLESS, current: { "current.activeVersionId": version } }, "1", false)?.verb;
  assert.equal(verb("0e3d"), "workflow.update-active");
  assert.equal(verb(null), "workflow.update");
});

const PARAMETERS = [
  // type, parameters, code, why
  ["sort", {}, false, "n8n's default"],
  ["sort", { type: "random" }, false, "it shuffles"],
  ["sort", { type: "code", code: "return 0" }, true, "a function"],
  ["sort", { type: "Simple" }, true, "whatever is none of its types is code to it"],
  ["sort", { type: ["simple"] }, true, "a list"],
  ["sort", [], true, "parameters that are none"],
  ["itemLists", { operation: "sort", type: "code" }, true, "its older name"],
  ["merge", { mode: "append" }, false, "one list behind another"],
  ["merge", { mode: "combine", combineBy: "combineAll" }, false, "each with each"],
  ["merge", { mode: "combineBySql", query: "SELECT 1" }, true, "SQL"],
  ["merge", { mode: "combine", combineBy: "combineBySql" }, true, "SQL by the other parameter"],
  ["merge", { mode: "={{ $json.mode }}" }, true, "whatever comes in"],
  ["set", { value: "={{ $json.name }}" }, false, "a value that came in"],
  ["set", { value: "={{ $json.a.b() }}" }, true, "a call"],
  ["set", { mode: "raw", jsonOutput: '{"a": {{ x() }}}' }, true, "without the sign before it"],
] as const;
for (const [type, parameters, isCode, why] of PARAMETERS) {
  test(`${type} with ${JSON.stringify(parameters)} ${isCode ? "runs code" : "is quiet"}: ${why}`, () => {
    const nodes = [{ ...node(`n8n-nodes-base.${type}`), parameters }];
    assert.equal(effectsOf(nodes).includes("execute"), isCode);
  });
}

test("a node that does something else runs code beside it", () => {
  const mail = { ...node("n8n-nodes-base.emailSend"), parameters: { text: "={{ x() }}" } };
  const reading = read({ nodes: [...HARMLESS, mail] });
  assert.deepEqual(reading?.effects, ["write", "send", "execute"]);
  const listed = reading?.fields?.["nodes"] as readonly object[] | undefined;
  assert.deepEqual(listed?.[0], { name: "a", type: mail.type, kind: "mail", code: true });
});

test("a type that nobody knows may do anything", () => {
  assert.deepEqual(effectsOf([node("n8n-nodes-base.somethingNew")]), [
    "write",
    "send",
    "execute",
    "delete",
    "administer",
    "spend",
  ]);
});
