/**
 * Builds the console's pages: web/ -> build/web, or the folder that is named; each file with its gzip beside it. Done
 * anew only where something is newer than what is there.
 *
 *   scripts/build-web.ts [--out DIR]
 *
 * @module
 */
import { globSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { parseArgs } from "node:util";

const root = join(import.meta.dirname, "..");
const { values } = parseArgs({ options: { out: { type: "string" } } });
const out = values.out ?? join(root, "build", "web");
const stamp = join(out, "index.html.gz");

const sources = [
  "web/**/*",
  "src/{api,action,link}/**/*.ts",
  "src/base/visible-text.ts",
  "package-lock.json",
];
const newest = Math.max(
  ...globSync(sources, { cwd: root }).map((file) => modified(join(root, file))),
);
if (modified(stamp) < newest) {
  rmSync(out, { recursive: true, force: true });
  // Loaded only where there is something to do.
  const [{ build }, { default: react }] = await Promise.all([
    import("vite"),
    import("@vitejs/plugin-react"),
  ]);
  await build({
    root: join(root, "web"),
    configFile: false,
    logLevel: "warn",
    plugins: [react()],
    build: {
      outDir: out,
      emptyOutDir: true,
      target: "es2022",
      // The console's content policy has no inline script or style, and no data: but for pictures.
      modulePreload: { polyfill: false },
      assetsInlineLimit: 0,
      reportCompressedSize: false,
    },
  });
  for (const file of globSync("**/*.{html,js,css,svg}", { cwd: out })) {
    writeFileSync(join(out, `${file}.gz`), gzipSync(readFileSync(join(out, file)), { level: 9 }));
  }
}

function modified(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}
