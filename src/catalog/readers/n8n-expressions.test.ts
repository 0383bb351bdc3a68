/** What n8n runs as code, and what only names a value. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { hasCode } from "./n8n-expressions.ts";

const PLAIN = [
  // text, why
  ["={{ $json.name }}", "a value that came in"],
  ["={{$json.a.b[0]?.c}}", "deeper"],
  ["={{ $json[\"a\"]['b'] }}", "in brackets"],
  ["=Dear {{ $json.name }}, {{ $now }}", "several in a text"],
  ["={{ $('Read orders').item.json.id }}", "of another node"],
  ['={{ $("Read").first().json.id }}', "its first item"],
  ['={{ $node["Read"].json.id }}', "in the older way"],
  ["={{ $workflow.name }} {{ $execution.id }}", "what runs"],
  ["=a", "a text"],
  ["{ a: { b: 1 } }", "braces that are none"],
  ["}} {", "braces that open nothing"],
  ["={{ $jsonny }}".replace("ny", ""), "nothing behind the name"],
] as const;
for (const [text, why] of PLAIN) {
  test(`${text} is no code: ${why}`, () => {
    assert.equal(hasCode({ a: [text] }), false);
  });
}

const CODE = [
  ["={{ 1 + 1 }}", "it reckons"],
  ["={{ $json.name.toUpperCase() }}", "a call"],
  ["={{ $json.constructor }}", "a way out of data"],
  ["={{ $json['constructor'] }}", "the same in brackets"],
  ["={{ $json.__proto__.a }}", "the same by another name"],
  ["={{ $json.a['b' + 'c'] }}", "a name that is made"],
  ["={{ $json[$json.a] }}", "a name that comes in"],
  ["={{ $env.SECRET }}", "the server's own variables"],
  ["={{ $vars.a }} {{ $secrets.b }}", "and what it keeps"],
  ["={{ $('a').all() }}", "another call"],
  ["={{ $(`a`).item.json }}", "a text that holds code"],
  ["={{ $json.a, x }}", "a second thing"],
  ["={{ $jsonx }}", "another name"],
  ["={{ $json }}}", "a brace more"],
  ["{{ $json.a() }}", "without the sign before it"],
  ["={{ $json.a }}{{ x }}", "the second of two"],
  ["={{{ $json.a }}", "braces that run together"],
  ["={{{{ $json.a }} x }}", "one within another"],
  ["={{ $json.a", "one without an end"],
  ["={{ $json.\\u0063onstructor }}", "a name that is escaped"],
  ["={{ (() => { x })() }}", "a function"],
] as const;
for (const [text, why] of CODE) {
  test(`${text} is code: ${why}`, () => {
    assert.equal(hasCode({ a: [{ b: text }] }), true);
  });
}

test("fuzz: whatever stands before or behind code, it is code", () => {
  fc.assert(
    fc.property(fc.string(), fc.string(), (before, after) => {
      assert.equal(hasCode(`${before}{{ x() }}${after}`), true);
    }),
  );
});

test("what is no text is no code", () => {
  for (const value of [undefined, null, 1, true, {}, []]) assert.equal(hasCode(value), false);
});
