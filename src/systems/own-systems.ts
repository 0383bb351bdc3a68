/**
 * Systems of a user's own: `catalog/NAME.yaml` below Cofferdam's home, in the form of our own entries.
 *
 * A file decides what an agent may do without being asked, as a task file does. So it must be its reader's
 * own, is refused whole for anything wrong in it, and takes no name of ours; and while any of them is wrong
 * none is used (INV-66).
 *
 * @module
 */
import { createHash } from "node:crypto";
import { lstatSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { describeError, Fault, readTextFile, requireOwnFolder } from "../base/index.ts";
import { entrySchema, findEntry, flawsOf, type Entry } from "../catalog/index.ts";
import { parseYamlFile, type YamlFile } from "../yaml/index.ts";

/** Most systems of one's own. */
export const SYSTEMS_MAX = 200;
const ENDING = ".yaml";
const WRITABLE_BY_OTHERS = 0o022;

/** Words of task files that name no system. */
const RESERVED = new Set(["http", "tcp", "mcp", "ssh", "unknown"]);

const CODE = "systems.file";

/** The file of the system `name`. */
function systemFile(name: string): YamlFile<Entry> {
  return {
    schema: entrySchema,
    code: CODE,
    start: "system: my-system",
    empty: "an empty file describes no system",
    tooLong: "describe fewer routes, or write two systems",
    guide: "docs/guides/own-systems.md",
    check: (entry) => [...flawsOf(entry), ...flawsOfName(entry, name)],
  };
}

/** A system as its file describes it. */
export interface OwnSystem {
  readonly entry: Entry;
  /** SHA-256 of the file, in hexadecimal: what it meant when a run began. */
  readonly digest: string;
}

export class OwnSystems {
  readonly #folder: string;
  /** What the folder looked like when it was read: names, sizes, times. */
  #signature = "";
  #systems: ReadonlyMap<string, OwnSystem> = new Map();

  constructor(folder: string) {
    this.#folder = folder;
  }

  /**
   * Every system, by its name; read again where a file changed. No folder, no systems.
   *
   * @throws {FileFault} `systems.file` with each thing wrong and its place.
   * @throws {Fault} `systems.file` where a file is not this user's own; `base.folder` for the folder.
   */
  read(): ReadonlyMap<string, OwnSystem> {
    requireOwnFolder(this.#folder, { isVisit: true });
    const names = this.#names();
    const signature = names.map((name) => this.#signatureOf(name)).join("\n");
    if (signature === this.#signature) return this.#systems;
    // Kept only once all of it was read: what is wrong is said each time.
    this.#systems = new Map(names.map((name) => this.#readFile(name)));
    this.#signature = signature;
    return this.#systems;
  }

  #names(): readonly string[] {
    let found: readonly string[];
    try {
      found = readdirSync(this.#folder).sort();
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
      throw refused(this.#folder, `cannot be read: ${describeError(error)}`, "make it a folder");
    }
    const names = found.filter((name) => !name.startsWith(".") && !name.endsWith(".md"));
    for (const name of names) {
      if (name.endsWith(ENDING)) continue;
      const hint = "name it SYSTEM.yaml, or keep it elsewhere";
      throw refused(join(this.#folder, name), "is no system's file", hint);
    }
    if (names.length > SYSTEMS_MAX) {
      throw refused(this.#folder, `holds more than ${SYSTEMS_MAX} systems`, "remove some");
    }
    return names;
  }

  #signatureOf(name: string): string {
    const path = join(this.#folder, name);
    const { dev, ino, size, mtimeNs, ctimeNs, mode, uid } = lstatSync(path, { bigint: true });
    return [name, dev, ino, size, mtimeNs, ctimeNs, mode, uid].join(":");
  }

  #readFile(name: string): readonly [string, OwnSystem] {
    const path = join(this.#folder, name);
    requireOwnFile(path, statSync(this.#folder).uid);
    const source = readTextFile(path, { mayWait: false });
    const entry = parseYamlFile(source, path, systemFile(name.slice(0, -ENDING.length)));
    const digest = createHash("sha256").update(source).digest("hex");
    return [entry.system, { entry, digest }];
  }
}

function flawsOfName({ system }: Entry, name: string): ReturnType<typeof flawsOf> {
  const flaw = (message: string, hint: string) => [{ path: ["system"], message, hint }];
  if (findEntry(system) !== undefined || RESERVED.has(system)) {
    return flaw(`(${system}) is a name of Cofferdam's own`, "choose another name");
  }
  if (system === name) return [];
  return flaw(`(${system}) is not what its file is called`, `call the file ${system}${ENDING}`);
}

/** As of a task file: who may write it decides what an agent may do. */
function requireOwnFile(path: string, owner: number): void {
  const { mode, uid } = statSync(path);
  if (uid !== owner && uid !== 0) {
    throw refused(path, `belongs to user ${uid}, and its folder to ${owner}`, "copy it");
  }
  if ((mode & WRITABLE_BY_OTHERS) !== 0) {
    throw refused(path, "can be written by other users", `chmod go-w '${path}'`);
  }
}

function refused(path: string, why: string, hint: string): Fault {
  return new Fault(CODE, `${path} ${why}`, { hint });
}
