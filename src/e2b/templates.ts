/**
 * Templates: what an operator lets callers start, by name. A caller names one and brings nothing else: neither a task nor a
 * folder of this machine.
 *
 * @module
 */
import { statSync } from "node:fs";
import { resolve } from "node:path";
import { Fault, readTextFile } from "../base/index.ts";
import { DETECTOR_ABOUTS } from "../detect/index.ts";
import { parseTaskFile } from "../policy/index.ts";
import { systemsIn } from "../systems/index.ts";

const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;

/** A task file and the folder that each sandbox of it has a layer over. */
export interface Template {
  readonly name: string;
  /** The task file's text, as it was when the adapter began. */
  readonly source: string;
  /** Absolute paths. */
  readonly fileName: string;
  readonly workspace: string;
  /** How long a sandbox lives at most, whatever its caller asks for. */
  readonly lifetimeMs: number;
  /** Whether the task reaches anything at all. */
  readonly reaches: boolean;
}

/**
 * Reads templates as the command line names them: `NAME=TASKFILE,WORKSPACE`.
 *
 * @throws {Fault} `e2b.template` where one is not that, its folder is none, or its task would have sandboxes share
 *   something; and what is wrong with the task file.
 */
export function readTemplates(
  said: readonly string[],
  { cwd, catalog }: { readonly cwd: string; readonly catalog: string },
): ReadonlyMap<string, Template> {
  const templates = new Map<string, Template>();
  const { systems } = systemsIn(catalog);
  for (const one of said) {
    const [, name = "", file = "", folder = ""] = /^([^=]*)=([^,]*),(.*)$/s.exec(one) ?? [];
    if (!NAME.test(name) || file === "" || folder === "" || templates.has(name)) {
      throw new Fault("e2b.template", `not a template: ${JSON.stringify(one)}`, {
        hint: "write --template NAME=TASKFILE,WORKSPACE, each name once",
      });
    }
    const fileName = resolve(cwd, file);
    const workspace = resolve(cwd, folder);
    if (statSync(workspace, { throwIfNoEntry: false })?.isDirectory() !== true) {
      throw new Fault("e2b.template", `${name}: its workspace ${workspace} is no folder`);
    }
    const source = readTextFile(fileName, { mayWait: false });
    const task = parseTaskFile(source, fileName, Date.now(), systems, DETECTOR_ABOUTS);
    if (task.home !== "fresh") {
      throw new Fault("e2b.template", `${name}: its sandboxes would share one home folder`, {
        hint: `write \`home: fresh\` in ${file}: what one caller leaves is no other's to read`,
      });
    }
    if (task.publish.length > 0) {
      throw new Fault("e2b.template", `${name}: only one sandbox at a time could publish a port`, {
        hint: `take \`publish\` out of ${file}`,
      });
    }
    const { lifetimeMs, grants } = task;
    const reaches = grants.length > 0;
    templates.set(name, { name, source, fileName, workspace, lifetimeMs, reaches });
  }
  if (templates.size === 0) {
    throw new Fault("e2b.template", "no template: there is nothing to start", {
      hint: "--task FILE makes the template base, of this folder",
    });
  }
  return templates;
}
