/**
 * What is asked of a server before a push is judged: its branches, and objects (gitprotocol-v2, `ls-refs`
 * and `fetch`). Objects are known by the hash of their content, so no server can tell another one.
 *
 * @module
 */
import type { ServerRefs } from "./push.ts";
import { isObjectId, type GitObject, type ObjectFormat, type ObjectId } from "./object-format.ts";
import { readPack, type FindObject } from "./pack.ts";
import { DELIMITER, FLUSH, packet, PacketReader } from "./pkt-line.ts";
import { require, tryRead, Unreadable, type Readable } from "./unreadable.ts";

/** Objects to ask for. */
export interface FetchPlan {
  readonly wants: readonly ObjectId[];
  /** What is behind these is left out. */
  readonly haves: readonly ObjectId[];
  /** Leaves out what is not needed, where the server can. */
  readonly filter?: "blob:none" | "tree:0" | undefined;
  /** Only the commits named, not what is behind them. */
  readonly isShallow: boolean;
}

const AGENT = "agent=git/2.39.5";

/** The body of a POST to git-upload-pack with `Git-Protocol: version=2`. */
export function fetchRequest(
  { wants, haves, filter, isShallow }: FetchPlan,
  format: ObjectFormat,
): Buffer {
  return Buffer.concat([
    packet("command=fetch\n"),
    packet(`${AGENT}\n`),
    packet(`object-format=${format.name}\n`),
    DELIMITER,
    packet("no-progress\n"),
    packet("ofs-delta\n"),
    ...wants.map((id) => packet(`want ${id}\n`)),
    ...haves.map((id) => packet(`have ${id}\n`)),
    ...(isShallow ? [packet("deepen 1\n")] : []),
    ...(filter === undefined ? [] : [packet(`filter ${filter}\n`)]),
    packet("done\n"),
    FLUSH,
  ]);
}

/** As {@link fetchRequest}: asks for the branches and what HEAD is. */
export function refsRequest(format: ObjectFormat): Buffer {
  return Buffer.concat([
    packet("command=ls-refs\n"),
    packet(`${AGENT}\n`),
    packet(`object-format=${format.name}\n`),
    DELIMITER,
    packet("symrefs\n"),
    packet("ref-prefix HEAD\n"),
    packet("ref-prefix refs/heads/\n"),
    FLUSH,
  ]);
}

/** Reads what {@link refsRequest} is answered with. */
export function readRefs(answer: Uint8Array, format: ObjectFormat): Readable<ServerRefs> {
  return tryRead(() => {
    const reader = new PacketReader(answer);
    const branches = new Map<string, ObjectId>();
    const aliases = new Map<string, string>();
    let head: string | undefined;
    for (let one = reader.take(); one !== "flush"; one = reader.take()) {
      require(typeof one !== "string", "a list of refs has a packet that does not belong there");
      const [id = "", name = "", ...attributes] = one
        .toString("utf8")
        .replace(/\n$/, "")
        .split(" ");
      require(!(id === "ERR"), "the server does not tell its refs");
      const target = attributes.find((text) => text.startsWith("symref-target:"))?.slice(14);
      if (name === "HEAD") head = target;
      else if (target !== undefined) aliases.set(name, target);
      if (name.startsWith("refs/heads/") && isObjectId(id, format)) branches.set(name, id);
    }
    return { branches, aliases, ...(head === undefined ? {} : { head }) };
  });
}

/** Reads what {@link fetchRequest} is answered with; `find` has bases that are known already. */
export function readFetched(
  answer: Uint8Array,
  format: ObjectFormat,
  find?: FindObject,
): Readable<ReadonlyMap<ObjectId, GitObject>> {
  return tryRead(() => {
    const reader = new PacketReader(answer);
    for (;;) {
      const section = reader.take();
      require(typeof section !== "string", "an answer to a fetch ends before its pack");
      const name = section.toString("utf8").trim();
      if (name === "packfile") break;
      require(/^(?:acknowledgments|shallow-info)$/.test(
        name,
      ), `the server says: ${name.slice(0, 200)}`);
      while (typeof reader.take() !== "string");
    }
    const chunks: Buffer[] = [];
    for (let one = reader.take(); one !== "flush"; one = reader.take()) {
      require(typeof one !==
        "string", "an answer to a fetch has a packet that does not belong there");
      if (one[0] === 1) chunks.push(one.subarray(1));
      if (one[0] === 3) throw new Unreadable(`the server says: ${one.toString("utf8", 1, 200)}`);
    }
    return readPack(Buffer.concat(chunks), format, find).objects;
  });
}
