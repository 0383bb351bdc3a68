/**
 * Paths as the server has them: links followed, dots gone. Judged is where a path leads, not how it is written;
 * and where it leads is what is then sent.
 *
 * @module
 */
import { Fault } from "../../../base/index.ts";
import { isResolved } from "../../../protocols/index.ts";
import type { SftpUpstream } from "./sftp-upstream.ts";

const PATH_CHARS_MAX = 4096; // PATH_MAX of Linux.

/** Resolves the paths of one session. */
export class SftpPaths {
  readonly #sftp: SftpUpstream;
  #home: Promise<string> | undefined;

  constructor(sftp: SftpUpstream) {
    this.#sftp = sftp;
  }

  /** Where `path` leads, its last part too. @throws {Fault} `ssh.path` */
  async follow(path: string): Promise<string> {
    const whole = await this.#absolute(path);
    return checked((await this.#sftp.realpath(whole)) ?? whole);
  }

  /** Where `path` itself lies: its last part is not followed. @throws {Fault} `ssh.path` */
  async locate(path: string): Promise<string> {
    const whole = await this.#absolute(path);
    const cut = whole.lastIndexOf("/");
    const name = whole.slice(cut + 1);
    if (name === "") return await this.follow(whole);
    const folder = await this.follow(whole.slice(0, cut) || "/");
    return checked(folder === "/" ? `/${name}` : `${folder}/${name}`);
  }

  /** The folder in which the login begins. */
  async home(): Promise<string> {
    this.#home ??= this.#sftp.realpath(".").then((home) => checked(home ?? "/"));
    return await this.#home;
  }

  /**
   * Absolute. Steps upwards stay in what the server is asked about, since they mean something else behind a
   * link; only where it cannot tell they are taken as written.
   */
  async #absolute(path: string): Promise<string> {
    if (path.length > PATH_CHARS_MAX) throw new Fault("ssh.path", "a path is too long");
    const whole = path.startsWith("/") ? path : `${await this.home()}/${path}`;
    if (!whole.split("/").some((segment) => segment === "..")) return lexical(whole);
    return (await this.#sftp.realpath(whole)) ?? lexical(whole);
  }
}

/** `path` without empty segments and dots. */
export function lexical(path: string): string {
  const segments: string[] = [];
  for (const segment of path.split("/")) {
    if (segment === "..") segments.pop();
    else if (segment !== "" && segment !== ".") segments.push(segment);
  }
  return `/${segments.join("/")}`;
}

function checked(path: string): string {
  const clean = path.startsWith("/") ? lexical(path) : path;
  if (path.split("/").includes("..") || !isResolved(clean)) {
    throw new Fault("ssh.path", "the server resolves a path to what is none");
  }
  return clean;
}
