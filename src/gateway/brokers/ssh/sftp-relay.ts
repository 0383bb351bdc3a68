/**
 * One file session of an agent: each request is read, its paths resolved by the server, judged, and only then
 * sent, as it was judged. What is on an open file goes at once: the file was judged when it was opened.
 *
 * @module
 */
import type { ServerChannel } from "ssh2";
import { describeError, Fault, isFault } from "../../../base/index.ts";
import { decodeAnswer, type FileOperation } from "../../../protocols/index.ts";
import {
  attrsPacket,
  readSftpRequest,
  SFTP,
  SftpFrames,
  STATUS,
  statusPacket,
  uint32Field,
  versionPacket,
  type SftpAsk,
  type SftpAttributes,
  type SftpRequest,
} from "../../../wire/index.ts";
import type { Judged } from "../broker.ts";
import { chunksOf, writeOut } from "./flow-control.ts";
import { OpenFiles, type OpenFile } from "./open-files.ts";
import type { Seat } from "./seat.ts";
import { lookUpFile } from "./sftp-facts.ts";
import { openFile } from "./sftp-open.ts";
import { SftpPaths } from "./sftp-paths.ts";
import { requestOf } from "./sftp-perform.ts";
import { resultOf, SftpUpstream, type Answer } from "./sftp-upstream.ts";

const VERSION = 3;
const LINK_TYPE = 0o170000;

/** Serves the subsystem `sftp` on `channel`; resolves when the agent is done with it. */
export async function serveSftp(seat: Seat, channel: ServerChannel): Promise<void> {
  const upstream = await seat.upstream();
  const { sftp, extensions } = await SftpUpstream.start(await upstream.sftp());
  const relay = new SftpRelay(seat, channel, sftp, extensions);
  try {
    await relay.run();
  } finally {
    await relay.close();
    sftp.close();
  }
}

/** Requests on paths that are one request at the server too. */
type OnPath = SftpRequest<
  | "lstat"
  | "stat"
  | "remove"
  | "rmdir"
  | "readlink"
  | "mkdir"
  | "setstat"
  | "lsetstat"
  | "rename"
  | "symlink"
  | "hardlink"
  | "statvfs"
>;

export class SftpRelay {
  readonly seat: Seat;
  readonly sftp: SftpUpstream;
  readonly paths: SftpPaths;
  readonly files = new OpenFiles();
  readonly #channel: ServerChannel;
  readonly #extensions: readonly (readonly [string, string])[];
  /** Of requests on open files, which are not waited for one by one. */
  readonly #underWay = new Set<Promise<void>>();

  constructor(
    seat: Seat,
    channel: ServerChannel,
    sftp: SftpUpstream,
    extensions: readonly (readonly [string, string])[],
  ) {
    this.seat = seat;
    this.sftp = sftp;
    this.paths = new SftpPaths(sftp);
    this.#channel = channel;
    this.#extensions = extensions;
  }

  async run(): Promise<void> {
    const frames = new SftpFrames();
    let isOpen = false;
    for await (const chunk of chunksOf(this.#channel)) {
      for (const packet of frames.push(chunk)) {
        if (isOpen) await this.#take(packet);
        else await this.#greet(packet);
        isOpen = true;
      }
    }
    await Promise.all(this.#underWay);
  }

  /** Whatever was left open is over. */
  async close(): Promise<void> {
    for (const file of this.files.all()) await this.#finish(file, { isAborted: true });
  }

  async #greet(packet: Buffer): Promise<void> {
    if (packet[0] !== SFTP.INIT || packet.length < 5 || packet.readUInt32BE(1) < VERSION) {
      throw new Fault("ssh.sftp", "the client does not begin with SFTP version 3");
    }
    await this.send(versionPacket(this.#extensions));
  }

  async #take(packet: Buffer): Promise<void> {
    const request = readSftpRequest(packet);
    const id = packet.length >= 5 ? packet.readUInt32BE(1) : 0;
    if (request === undefined) {
      await this.fail(id, STATUS.BAD_MESSAGE, "not a request, or a name that is no UTF-8");
      return;
    }
    try {
      await this.#serve(request);
    } catch (error) {
      if (!isFault(error, "ssh.path")) throw error;
      await this.fail(id, STATUS.FAILURE, describeError(error));
    }
  }

  async #serve(request: SftpRequest): Promise<void> {
    const { id } = request;
    switch (request.kind) {
      case "open":
        return await openFile(this, request);
      case "read":
      case "write":
        return await this.#onFile(request);
      case "fstat":
      case "readdir":
      case "fstatvfs":
      case "fsync":
        return await this.#onHandle(request);
      case "close":
        return await this.#close(request.id, request.handle);
      case "fsetstat":
        return await this.#setOpen(id, request.handle, request.attributes);
      case "limits":
        return await this.#pass(id, request);
      case "extended":
        return await this.fail(id, STATUS.UNSUPPORTED, `${request.name} is not known`);
      case "realpath":
      case "expand-path":
        return await this.#resolve(request);
      case "opendir":
        return await this.#openFolder(id, request.path);
      default:
        return await this.#ordinary(request);
    }
  }

  async #ordinary(request: OnPath): Promise<void> {
    const { id, kind } = request;
    const { operation, ask } = await this.#operationOf(request);
    if (kind === "lstat" || kind === "stat" || kind === "readlink" || kind === "statvfs") {
      if (await this.mayLook(id, operation)) await this.#pass(id, ask);
      return;
    }
    await this.act(id, operation, ask);
  }

  async #operationOf(
    request: OnPath,
  ): Promise<{ readonly operation: FileOperation; readonly ask: SftpAsk }> {
    const { kind, path: asked } = request;
    const isFollowed = kind === "stat" || kind === "setstat" || kind === "statvfs";
    const path = await (isFollowed ? this.paths.follow(asked) : this.paths.locate(asked));
    const base = { op: "sftp", path, ...(path === asked ? {} : { asked }) } as const;
    switch (kind) {
      case "lstat":
      case "stat":
        return { operation: { ...base, do: "stat" }, ask: { kind, path } };
      case "setstat":
      case "lsetstat": {
        const attributes = await this.typed(path, request.attributes);
        const operation = { ...base, do: "setstat", attributes } as const;
        return { operation, ask: { kind, path, attributes: request.attributes } };
      }
      case "rename": {
        const to = await this.paths.locate(request.to);
        const { isReplacing } = request;
        const operation = { ...base, do: "rename", to, isReplacing } as const;
        return { operation, ask: { kind, path, to, isReplacing } };
      }
      case "hardlink": {
        // The new name is what is made; the old one is what it then stands for.
        const made = await this.paths.locate(request.to);
        const operation = { op: "sftp", do: "hardlink", path: made, to: path } as const;
        return { operation, ask: { kind, path, to: made } };
      }
      case "symlink": {
        const folder = path.slice(0, path.lastIndexOf("/")) || "/";
        const target = request.to;
        const to = await this.paths.follow(target.startsWith("/") ? target : `${folder}/${target}`);
        const operation = { ...base, do: "symlink", to, target } as const;
        return { operation, ask: { kind, path, to: target } };
      }
      case "mkdir":
        return {
          operation: { ...base, do: "mkdir", attributes: request.attributes },
          ask: { kind, path, attributes: request.attributes },
        };
      case "remove":
      case "rmdir":
      case "readlink":
      case "statvfs":
        return { operation: { ...base, do: kind }, ask: { kind, path } };
      default:
        throw new Fault("ssh.path", `${String(kind)} is no request on a path`);
    }
  }

  /** The attributes with the type of what is there: a folder's execute bits are another thing than a file's. */
  async typed(path: string, attributes: SftpAttributes): Promise<SftpAttributes> {
    if (attributes.mode === undefined) return attributes;
    const { response } = await this.sftp.ask({ kind: "stat", path });
    const type = response.kind === "attrs" ? (response.attributes?.mode ?? 0) & LINK_TYPE : 0;
    return { ...attributes, mode: (attributes.mode & ~LINK_TYPE) | type };
  }

  /** Whether what only looks is allowed; told already where it is not. */
  async mayLook(id: number, operation: FileOperation): Promise<boolean> {
    const { session } = this.seat;
    const key = JSON.stringify([operation.do, operation.path]);
    if (session.repeats(key)) return true;
    const judged = await session.judge({ operation });
    if (judged.decision.verdict === "allow") {
      await session.outcome(judged, { result: "looked" });
      session.remember(key, judged);
      return true;
    }
    await this.deny(id, judged);
    return false;
  }

  /** Has `operation` judged and done by `ask`, at once or after a person said so. */
  async act(id: number, operation: FileOperation, ask: SftpAsk): Promise<void> {
    const { session } = this.seat;
    const judged = await session.judge({ operation });
    if (judged.decision.verdict === "allow") {
      const { packet, response } = await this.sftp.ask(ask);
      await session.outcome(judged, resultOf(response));
      await this.answer(id, packet);
      return;
    }
    if (judged.decision.verdict === "deny" || requestOf(operation) === undefined) {
      await this.deny(id, judged);
      return;
    }
    const facts = await lookUpFile(this.sftp, operation);
    await this.hold(id, await session.complete(judged, { operation, facts }));
  }

  /** Lets a person decide over what was judged, and answers with what came of it. */
  async hold(id: number, judged: Judged): Promise<void> {
    const resolution = await this.seat.session.hold(judged);
    if (resolution.kind !== "answered") {
      const { text } = this.seat.session.deny(judged, resolution);
      await this.refuse(id, text);
      return;
    }
    if (resolution.note !== undefined) this.seat.tell(this.#channel, resolution.note);
    const { file } = decodeAnswer(resolution.answer.body);
    await this.fail(id, file?.code ?? STATUS.FAILURE, file?.message ?? "it was not performed");
  }

  async deny(id: number, judged: Judged): Promise<void> {
    await this.refuse(id, this.seat.session.deny(judged).text);
  }

  /** Tells of a refusal: clients show the code, and what comes on the channel's other stream. */
  async refuse(id: number, text: string): Promise<void> {
    this.seat.tell(this.#channel, text);
    await this.fail(id, STATUS.PERMISSION_DENIED, text);
  }

  async fail(id: number, code: number, message: string): Promise<void> {
    await this.send(statusPacket(id, code, message));
  }

  async #resolve(request: SftpRequest<"realpath" | "expand-path">): Promise<void> {
    const { id, path: asked, kind } = request;
    if (kind === "expand-path" && /^~[^/]/.test(asked)) {
      await this.fail(id, STATUS.FAILURE, "another user's home is not looked up");
      return;
    }
    // The login's own folder is where every client begins.
    const plain = kind === "expand-path" ? asked.replace(/^~(\/|$)/, "./") : asked;
    const isHome = /^(\.?\/?)$/.test(plain) && !plain.startsWith("/");
    const path = await this.paths.follow(isHome ? "." : plain);
    const operation = { op: "sftp", do: "realpath", path, asked } as const;
    if (!isHome && !(await this.mayLook(id, operation))) return;
    const { packet } = await this.sftp.ask({ kind: "realpath", path });
    await this.answer(id, packet);
  }

  async #openFolder(id: number, asked: string): Promise<void> {
    const path = await this.paths.follow(asked);
    const operation = {
      op: "sftp",
      do: "list",
      path,
      ...(path === asked ? {} : { asked }),
    } as const;
    if (!(await this.mayLook(id, operation))) return;
    const answer = await this.sftp.ask({ kind: "opendir", path });
    await this.opened(id, answer, { kind: "folder", path, judged: [] });
  }

  /** Passes on the answer to an opening, and keeps the handle. */
  async opened(id: number, { packet, response }: Answer, file: OpenFile): Promise<void> {
    if (response.kind === "handle") this.files.add(response.handle, file);
    else await this.#outcomes(file, resultOf(response));
    await this.answer(id, packet);
  }

  async #onFile(request: SftpRequest<"read" | "write">): Promise<void> {
    const file = this.files.get(request.handle);
    if (file === undefined || file.kind === "folder") {
      await this.fail(request.id, STATUS.FAILURE, "no such open file");
      return;
    }
    if (file.kind === "spool") {
      const answer = file.spool.take(request);
      await this.send(answer);
      return;
    }
    file.count(request);
    if (this.sftp.isFull) await Promise.race(this.#underWay);
    const { id, ...ask } = request;
    const done = this.#pass(id, ask as SftpAsk).catch((error: unknown) => this.seat.broke(error));
    this.#underWay.add(done);
    void done.then(() => this.#underWay.delete(done));
  }

  async #onHandle(request: SftpRequest<"fstat" | "readdir" | "fstatvfs" | "fsync">): Promise<void> {
    const { id, kind, handle } = request;
    const file = this.files.get(handle);
    if (file === undefined || (kind === "readdir") !== (file.kind === "folder")) {
      await this.fail(id, STATUS.FAILURE, "no such open file");
    } else if (file.kind === "spool") {
      if (kind === "fstat") await this.send(attrsPacket(id, file.spool.attributes));
      else await this.fail(id, kind === "fsync" ? STATUS.OK : STATUS.UNSUPPORTED, "");
    } else {
      await this.#pass(id, { kind, handle });
    }
  }

  async #setOpen(id: number, handle: string, attributes: SftpAttributes): Promise<void> {
    const file = this.files.get(handle);
    if (file === undefined || file.kind === "folder") {
      await this.fail(id, STATUS.FAILURE, "no such open file");
    } else if (file.kind === "spool") {
      await this.fail(id, file.spool.set(attributes) ? STATUS.OK : STATUS.FAILURE, "");
    } else if (file.isWritten && Object.keys(attributes).join() === "size") {
      // Cutting off what was there is a part of writing, which was allowed.
      await this.#pass(id, { kind: "fsetstat", handle, attributes });
    } else {
      const typed = await this.typed(file.path, attributes);
      const operation = { op: "sftp", do: "setstat", path: file.path, attributes: typed } as const;
      await this.act(id, operation, { kind: "fsetstat", handle, attributes });
    }
  }

  async #close(id: number, handle: string): Promise<void> {
    const file = this.files.take(handle);
    if (file === undefined) {
      await this.fail(id, STATUS.FAILURE, "no such open file");
    } else if (file.kind === "spool") {
      await file.spool.close(id);
    } else {
      await Promise.all(this.#underWay);
      const { packet, response } = await this.sftp.ask({ kind: "close", handle });
      await this.#finish(file, resultOf(response));
      await this.answer(id, packet);
    }
  }

  async #finish(
    file: OpenFile,
    result: Readonly<Record<string, string | number | boolean>>,
  ): Promise<void> {
    await this.#outcomes(file, { ...result, ...(file.kind === "file" ? file.counted() : {}) });
  }

  async #outcomes(
    file: OpenFile,
    data: Readonly<Record<string, string | number | boolean>>,
  ): Promise<void> {
    if (file.kind === "spool") return;
    for (const judged of file.judged) await this.seat.session.outcome(judged, data);
  }

  async #pass(id: number, ask: SftpAsk): Promise<void> {
    const { packet } = await this.sftp.ask(ask);
    await this.answer(id, packet);
  }

  /** Sends the server's answer under the agent's own number. */
  async answer(id: number, packet: Buffer): Promise<void> {
    const whole = Buffer.concat([uint32Field(packet.length), packet]);
    whole.writeUInt32BE(id, 5);
    await this.send(whole);
  }

  async send(packet: Buffer): Promise<void> {
    await writeOut(this.#channel, packet, { socket: this.seat.session.client });
  }
}
