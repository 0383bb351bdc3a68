/**
 * A push in words, for whoever asks what one would be: `update refs/heads/main src/a.txt`. It becomes what git
 * would send, so that it is read and judged as any other.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { deflateSync } from "node:zlib";
import type { Facts } from "./known.ts";
import { FORMATS, idOf, type GitObject, type ObjectId } from "./object-format.ts";
import { MODES } from "./objects.ts";
import { FLUSH, packet } from "./pkt-line.ts";

/** What is sent, and what the server would have told. */
export interface SamplePush {
  readonly body: Buffer;
  readonly facts: Facts;
}

const FORM = /^(create|update|force|delete) (refs\/\S+)((?: \S+)*)$/;
const FORMAT = FORMATS.sha1;
const KINDS = { commit: 1, tree: 2, blob: 3, tag: 4 } as const;
const WHO = "Agent <agent@example.org> 1700000000 +0000";

/** `create|update|force|delete REF [PATH]...`; `undefined` where `text` is no such thing. */
export function samplePush(text: string): SamplePush | undefined {
  const [, how = "", ref = "", rest = ""] = FORM.exec(text) ?? [];
  if (ref === "") return undefined;
  const paths = rest.split(" ").filter((path) => path !== "");
  const before = new Objects();
  const base = before.commit(before.tree(new Map()), [], "What is there");
  const now = new Objects();
  const tree = now.tree(new Map(paths.map((path) => [path, now.blob(`${path}\n`)])));
  const tip = now.commit(tree, how === "force" ? [] : [base], "A change");
  const old = how === "create" ? FORMAT.none : base;
  const next = how === "delete" ? FORMAT.none : tip;
  const command = packet(`${old} ${next} ${ref}\0 report-status object-format=sha1`);
  const pack = how === "delete" ? Buffer.alloc(0) : now.pack();
  return {
    body: Buffer.concat([command, FLUSH, pack]),
    facts: { branches: { "refs/heads/base-of-it": base }, objects: before.facts() },
  };
}

class Objects {
  readonly #objects = new Map<ObjectId, GitObject>();

  blob(text: string): ObjectId {
    return this.#add({ kind: "blob", data: Buffer.from(text) });
  }

  /** Files by path; a file at the path of a folder gives way. */
  tree(files: ReadonlyMap<string, ObjectId>): ObjectId {
    const folders = new Map<string, Map<string, ObjectId>>();
    const entries = new Map<string, readonly [mode: string, id: ObjectId]>();
    for (const [path, id] of files) {
      const [name = "", ...rest] = path.split("/").filter((one) => one !== "");
      if (rest.length === 0) entries.set(name, [MODES.file, id]);
      else
        folders.set(
          name,
          (folders.get(name) ?? new Map<string, ObjectId>()).set(rest.join("/"), id),
        );
    }
    for (const [name, inner] of folders) entries.set(name, [MODES.tree, this.tree(inner)]);
    const key = (name: string, mode: string) =>
      Buffer.from(mode === MODES.tree ? `${name}/` : name);
    const sorted = [...entries].sort(([a, [one]], [b, [other]]) =>
      Buffer.compare(key(a, one), key(b, other)),
    );
    const data = sorted.map(([name, [mode, id]]) =>
      Buffer.concat([Buffer.from(`${mode} ${name}\0`), Buffer.from(id, "hex")]),
    );
    return this.#add({ kind: "tree", data: Buffer.concat(data) });
  }

  commit(tree: ObjectId, parents: readonly ObjectId[], message: string): ObjectId {
    const lines = [`tree ${tree}`, ...parents.map((id) => `parent ${id}`)];
    const text = [...lines, `author ${WHO}`, `committer ${WHO}`, "", `${message}\n`].join("\n");
    return this.#add({ kind: "commit", data: Buffer.from(text) });
  }

  pack(): Buffer {
    const header = Buffer.from("PACK\0\0\0\u0002\0\0\0\0", "latin1");
    header.writeUInt32BE(this.#objects.size, 8);
    const entries = [...this.#objects.values()].map(({ kind, data }) => {
      const head = [(KINDS[kind] << 4) | (data.length & 15)];
      for (let left = Math.floor(data.length / 16); left > 0; left = Math.floor(left / 128)) {
        head.push((head.pop() ?? 0) | 0x80, left & 0x7f);
      }
      return Buffer.concat([Buffer.from(head), deflateSync(data)]);
    });
    const all = Buffer.concat([header, ...entries]);
    return Buffer.concat([all, createHash("sha1").update(all).digest()]);
  }

  facts(): Readonly<Record<ObjectId, string>> {
    return Object.fromEntries(
      [...this.#objects].map(([id, { kind, data }]) => [id, `${kind} ${data.toString("base64")}`]),
    );
  }

  #add(object: GitObject): ObjectId {
    const id = idOf(object, FORMAT);
    this.#objects.set(id, object);
    return id;
  }
}
