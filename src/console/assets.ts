/**
 * The console's own files: read once, served from memory under the names that the build gave them, and nothing else.
 *
 * @module
 */
import { readdirSync, readFileSync } from "node:fs";
import { extname, join } from "node:path";
import { Fault } from "../base/index.ts";

const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml",
  ".woff2": "font/woff2",
};

export interface Asset {
  readonly type: string;
  readonly bytes: Buffer;
  /** The same, compressed; where the build made it. */
  readonly gzip: Buffer | undefined;
  /** Its name changes with its content. */
  readonly isImmutable: boolean;
}

/** Assets by the path that they are asked for under; `/` is the page. */
export type Assets = ReadonlyMap<string, Asset>;

/** @throws {Fault} `console.assets` where the folder has no page. */
export function readAssets(folder: string): Assets {
  const assets = new Map<string, Asset>();
  for (const name of namesIn(folder)) {
    const type = TYPES[extname(name)];
    if (type === undefined) continue;
    const isImmutable = name.startsWith("assets/");
    const gzip = namesIn(folder).includes(`${name}.gz`) ? read(folder, `${name}.gz`) : undefined;
    assets.set(`/${name}`, { type, bytes: read(folder, name), gzip, isImmutable });
  }
  const page = assets.get("/index.html");
  if (page === undefined) {
    throw new Fault("console.assets", `the console's pages are not built: ${folder} has no page`, {
      hint: "`npm run setup` builds them in a checkout",
    });
  }
  return assets.set("/", page);
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder, { recursive: true, encoding: "utf8" });
  } catch {
    return []; // No folder: no page, which is refused by name.
  }
}

function read(folder: string, name: string): Buffer {
  return readFileSync(join(folder, name));
}
