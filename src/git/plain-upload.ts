/**
 * Questions to a git-upload-pack that speaks protocol version 0 (gitprotocol-pack): sshd lets `GIT_PROTOCOL` through
 * only where it is told to. It is asked in one go for what it lists, and its answer becomes one of version 2. It
 * gives no object that no ref names, and tells of no symbolic ref but HEAD: less is known, and so more is strict.
 *
 * @module
 */
import type { FetchPlan } from "./fetch.ts";
import type { ObjectFormat } from "./object-format.ts";
import { FLUSH, packet, PacketReader } from "./pkt-line.ts";
import { tryRead } from "./unreadable.ts";

/** All that a client says to fetch `plan`. */
export function plainRequest(
  { wants, haves, filter, isShallow }: FetchPlan,
  { name }: ObjectFormat,
): Buffer {
  const capabilities = [
    "side-band-64k ofs-delta no-progress agent=git/2.39.5",
    ...(name === "sha1" ? [] : [`object-format=${name}`]),
    ...(filter === undefined ? [] : ["filter"]),
  ].join(" ");
  return Buffer.concat([
    ...wants.map((id, at) => packet(`want ${id}${at === 0 ? ` ${capabilities}` : ""}\n`)),
    ...(isShallow ? [packet("deepen 1\n")] : []),
    ...(filter === undefined ? [] : [packet(`filter ${filter}\n`)]),
    FLUSH,
    ...haves.map((id) => packet(`have ${id}\n`)),
    packet("done\n"),
  ]);
}

/** Whether `output`, the beginning of what git-upload-pack says, is of protocol version 2. */
export function speaksVersion2(output: Uint8Array): boolean {
  const first = tryRead(() => new PacketReader(output).next());
  return first.ok && Buffer.isBuffer(first.value) && /^version 2\n?$/.test(first.value.toString());
}

/**
 * What was answered to a question, as version 2 says it; `undefined` where it is no answer. `output` is all
 * that git-upload-pack said, its advertisement first; `isPlain` where that was of version 0.
 */
export function answerOf(output: Uint8Array, isPlain: boolean): Buffer | undefined {
  const read = tryRead(() => {
    const reader = new PacketReader(output);
    const lines: string[] = [];
    for (let one = reader.take(); one !== "flush"; one = reader.take()) {
      if (typeof one !== "string") lines.push(one.toString("utf8").replace(/\n$/, ""));
    }
    const rest = Buffer.from(output.buffer, output.byteOffset, output.byteLength);
    if (!isPlain) return rest.subarray(reader.offset);
    if (reader.isAtEnd) return refsAnswer(lines);
    for (;;) {
      const { offset } = reader;
      const one = reader.take();
      const isSaid =
        typeof one === "string" ||
        /^(?:NAK|ACK|shallow|unshallow)\b/.test(one.toString("latin1", 0, 12));
      if (!isSaid) return Buffer.concat([packet("packfile\n"), rest.subarray(offset)]);
    }
  });
  return read.ok ? read.value : undefined;
}

/** Whatever is where HEAD's branch is could be another name of it: it is taken for one. */
function refsAnswer(lines: readonly string[]): Buffer {
  const capabilities =
    lines
      .find((line) => line.includes("\0"))
      ?.split("\0")[1]
      ?.split(" ") ?? [];
  const head = capabilities.find((one) => one.startsWith("symref=HEAD:"))?.slice(12);
  const refs = lines.flatMap((line) => {
    const [id = "", name = ""] = line.split("\0", 1)[0]?.split(" ") ?? [];
    return name === "HEAD" || name.startsWith("refs/heads/") ? [[id, name] as const] : [];
  });
  const [tip] = refs.find(([, name]) => name === head) ?? [];
  return Buffer.concat([
    ...refs.map(([id, name]) => {
      const isHead = head !== undefined && name !== head && (name === "HEAD" || id === tip);
      return packet(`${id} ${name}${isHead ? ` symref-target:${head}` : ""}\n`);
    }),
    FLUSH,
  ]);
}
