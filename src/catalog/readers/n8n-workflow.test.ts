import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { Effect } from "../../action/index.ts";
import { readWorkflow } from "./n8n-workflow.ts";

interface Given {
  readonly nodes: unknown;
  readonly settings?: Readonly<Record<string, unknown>>;
  readonly active?: boolean;
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
        "current.active": isActive,
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
    { settings: { availableInMCP: true } },
    { active: true },
  ]) {
    assert.ok(read({ nodes: HARMLESS, ...more })?.effects?.includes("execute"));
  }
});
