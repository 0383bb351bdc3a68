import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { rootOf, within } from "./tool-root.ts";

const HOME = "/home/ann";

// executable, root of its toolchain, why
const ROWS: readonly (readonly [string, string | undefined, string])[] = [
  [
    `${HOME}/.nvm/versions/node/v24.1.0/bin/node`,
    `${HOME}/.nvm/versions/node/v24.1.0`,
    "one version of nvm's",
  ],
  [
    `${HOME}/.nvm/versions/node/v24.1.0/lib/node_modules/@x/cli/cli.js`,
    `${HOME}/.nvm/versions/node/v24.1.0`,
    "a global package of it",
  ],
  [
    `${HOME}/.npm-global/lib/node_modules/codex/bin/codex.js`,
    `${HOME}/.npm-global`,
    "an npm prefix",
  ],
  [`${HOME}/.pyenv/shims/python3`, `${HOME}/.pyenv`, "shims look for the rest of pyenv"],
  [`${HOME}/.pyenv/versions/3.12/bin/python3.12`, `${HOME}/.pyenv`, "and versions belong to it"],
  [
    `${HOME}/.local/share/claude/versions/2.1.330`,
    `${HOME}/.local/share/claude`,
    "a native install",
  ],
  [
    `${HOME}/.local/share/uv/tools/ruff/bin/ruff`,
    `${HOME}/.local/share/uv`,
    "tools share an interpreter",
  ],
  [
    `${HOME}/.claude/local/node_modules/.bin/claude`,
    `${HOME}/.claude/local`,
    "never .claude, with its keys",
  ],
  [`${HOME}/.bun/bin/bun`, `${HOME}/.bun`, "bun"],
  [`${HOME}/.cargo/bin/cargo`, `${HOME}/.cargo`, "cargo; its credentials are masked"],
  [`${HOME}/miniconda3/bin/python`, `${HOME}/miniconda3`, "any prefix with bin"],
  [
    `${HOME}/project/node_modules/.bin/tsc`,
    `${HOME}/project/node_modules`,
    "a project's packages, not the project",
  ],
  [`${HOME}/project/.venv/bin/pytest`, `${HOME}/project/.venv`, "a virtual environment"],
  ["/opt/google/chrome/chrome", "/opt/google", "one vendor of /opt"],
  ["/nix/store/abc-node-24/bin/node", "/nix/store", "a store's parts name each other"],
  ["/home/linuxbrew/.linuxbrew/Cellar/jq/1.7/bin/jq", "/home/linuxbrew/.linuxbrew", "likewise"],
  ["/root/.nvm/versions/node/v22/bin/npm", "/root/.nvm/versions/node/v22", "of another home"],
  [`${HOME}/bin/deploy`, undefined, "~/bin holds unrelated things: that file only"],
  [`${HOME}/.local/bin/claude`, undefined, "so does ~/.local/bin"],
  [`${HOME}/.local/share/tool`, undefined, "a file straight in ~/.local/share"],
  [`${HOME}/tool`, undefined, "a file straight in the home"],
  ["/root/bin/x", undefined, "somebody else's ~/bin"],
  ["/home/bob/.local/bin/x", undefined, "somebody else's ~/.local"],
  ["/home/bob/bin/x", undefined, "somebody else's home"],
  ["/opt/tool", undefined, "a file straight in /opt"],
  ["/srv/bin/x", undefined, "/srv is broad"],
  ["/bin/x", undefined, "/ is broad"],
];
for (const [path, root, why] of ROWS) {
  test(`${path} belongs to ${root ?? "nothing"}: ${why}`, () =>
    assert.equal(rootOf(path, HOME), root));
}

test("INV-4: no executable, wherever it lies, makes a home or what holds it visible", () => {
  const part = fc.constantFrom(
    "home",
    "ann",
    "root",
    "opt",
    "bin",
    "lib",
    "libexec",
    "share",
    ".local",
    "node_modules",
    ".config",
    "x",
    ".nvm",
  );
  const property = fc.property(fc.array(part, { minLength: 1, maxLength: 8 }), (parts) => {
    const path = `/${parts.join("/")}`;
    const root = rootOf(path, HOME);
    if (root === undefined) return;
    assert.ok(within(path, root) && path !== root, "it holds the executable");
    for (const home of [HOME, "/root"]) {
      for (const place of [home, `${home}/.local`, `${home}/.config`, `${home}/.local/share`]) {
        assert.ok(!within(place, root), `${root} would show ${place}`);
      }
    }
  });
  fc.assert(property, { numRuns: 2_000 });
});
