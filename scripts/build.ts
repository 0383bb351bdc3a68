/**
 * `npm run build`: the JavaScript that the package ships, in dist/.
 *
 * @module
 */
import { cpSync, rmSync } from "node:fs";
import { join } from "node:path";
import { runStep } from "./check.ts";

const root = join(import.meta.dirname, "..");
rmSync(join(root, "dist"), { recursive: true, force: true });
const tsc = join(root, "node_modules", ".bin", "tsc");
runStep("build", tsc, ["-p", "tsconfig.build.json"]);
// What a program's compiler reads of `cofferdam/client`.
runStep("types", tsc, ["-p", "tsconfig.types.json"]);
// The drill's plain-text parts travel beside its code.
cpSync(join(root, "drills"), join(root, "dist", "drills"), {
  recursive: true,
  filter: (path) => !path.endsWith(".ts"),
});
// The console's pages.
runStep("build of the console", process.execPath, [
  join(root, "scripts", "build-web.ts"),
  "--out",
  join(root, "dist", "web"),
]);
