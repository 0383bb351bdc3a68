/**
 * Writes test/corpus/git/pushes.yaml: pushes made by git itself, or by hand where git would not make them, with
 * what a server would have told. `sh scripts/node test/git/make-corpus.ts`
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { stringify } from "yaml";
import { cases } from "./corpus-maker.ts";
import "./corpus-refs.ts";
import "./corpus-paths.ts";
import "./corpus-server.ts";

mkdirSync(join(import.meta.dirname, "../corpus/git"), { recursive: true });
writeFileSync(
  join(import.meta.dirname, "../corpus/git/pushes.yaml"),
  `# Written by test/git/make-corpus.ts: bodies are what git sends, or would have to. Names of GitHub's tokens, AWS's
# keys and a private key's first line stand in some of them, and are none.
${stringify(cases, { lineWidth: 0 })}`,
);
console.log(`${cases.length} cases`);
