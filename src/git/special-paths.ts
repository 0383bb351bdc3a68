/**
 * Paths that make somebody's machine do something: who pushes one of these runs code at the forge, or at
 * whoever builds, installs or opens the repository, or decides over who reviews it.
 *
 * Patterns match at any depth and in any letter case, since the file system that it is checked out on may
 * fold it. `*` is within one component, a last `**` anything below.
 *
 * @module
 */

/** What a change to a path is, as a verb of its own. */
export type PathVerb =
  | "push.ci"
  | "push.hooks"
  | "push.scripts"
  | "push.submodule"
  | "push.owners"
  | "push.attributes"
  | "push.agents"
  | "push.link"
  | "push.dotgit"
  | "push.unseen";

/** One row: what matches and what a person is told. */
interface SpecialPath {
  readonly verb: PathVerb;
  readonly why: string;
  readonly patterns: readonly string[];
}

// prettier-ignore
const SPECIAL_PATHS: readonly SpecialPath[] = [
  { verb: "push.ci", why: "the forge runs it, with the project's secrets", patterns: [
    ".github/workflows/**", ".github/actions/**", "action.yml", "action.yaml", ".gitlab-ci.yml", ".gitlab-ci.yaml",
    "*.gitlab-ci.yml", ".gitlab/ci/**", ".gitea/workflows/**", ".forgejo/workflows/**", ".circleci/**",
    "jenkinsfile", "jenkinsfile.*", "*.jenkinsfile", "azure-pipelines*.yml", "azure-pipelines*.yaml", ".azure-pipelines/**",
    ".woodpecker/**", ".woodpecker.yml", ".woodpecker.yaml", ".drone.yml", ".drone.yaml", ".drone.star", ".drone.jsonnet",
    "bitbucket-pipelines.yml", ".travis.yml", "appveyor.yml", ".appveyor.yml", ".buildkite/**", ".cirrus.yml", ".cirrus.star",
    "cloudbuild.yaml", "cloudbuild.yml", "buildspec.yml", "buildspec.yaml", ".ci/**", ".teamcity/**", ".semaphore/**",
    "codemagic.yaml", ".builds/*.yml", ".build.yml", ".onedev-buildspec.yml", "wercker.yml", "codefresh.yml", ".tekton/**",
    ".github/dependabot.yml", ".github/dependabot.yaml", "renovate.json", "renovate.json5", ".renovaterc", ".renovaterc.json",
    ".readthedocs.yml", ".readthedocs.yaml", "_config.yml", "vercel.json", "netlify.toml", "fly.toml", "render.yaml",
    "procfile", "wrangler.toml", "wrangler.json", "wrangler.jsonc", "app.yaml", "amplify.yml", ".replit"] },
  { verb: "push.owners", why: "decides over who reviews or may do what", patterns: [
    "codeowners", ".github/settings.yml", ".github/rulesets/**", ".asf.yaml", "owners", "owners_aliases",
    ".gitlab/merge_request_approvals.yml", ".mergify.yml", ".github/mergify.yml", ".kodiak.toml", ".github/auto_assign.yml",
    ".mailmap"] },
  { verb: "push.submodule", why: "git fetches from where it says", patterns: [".gitmodules", ".lfsconfig"] },
  { verb: "push.attributes", why: "git may run what it names, or show another content than is there", patterns: [
    ".gitattributes"] },
  { verb: "push.hooks", why: "git, or a tool beside it, runs it", patterns: [
    "hooks/applypatch-msg", "hooks/pre-*", "hooks/post-*", "hooks/commit-msg", "hooks/prepare-commit-msg", "hooks/update",
    "hooks/push-to-checkout", "hooks/fsmonitor-watchman", "hooks/sendemail-validate", "hooks/reference-transaction",
    ".husky/**", ".githooks/**", ".git-hooks/**", "githooks/**", "lefthook.yml", "lefthook.yaml", ".lefthook.yml",
    "lefthook.toml", ".pre-commit-config.yaml", ".pre-commit-config.yml", ".pre-commit-hooks.yaml", ".overcommit.yml",
    ".lintstagedrc", ".lintstagedrc.*", "lint-staged.config.*", "captainhook.json", "grumphp.yml", ".gitconfig"] },
  { verb: "push.scripts", why: "a build, an install or a start runs it", patterns: [
    "package.json", "package.json5", "package.yaml", ".npmrc", ".yarnrc", ".yarnrc.yml", ".yarn/**", ".pnpmfile.cjs", "pnpm-workspace.yaml",
    "bunfig.toml", "deno.json", "deno.jsonc", "binding.gyp", "*.gypi", "node_modules/**", "package-lock.json", "npm-shrinkwrap.json",
    "yarn.lock", "pnpm-lock.yaml", "bun.lock", "bun.lockb", "setup.py", "setup.cfg", "pyproject.toml", "pip.conf", "noxfile.py",
    "tox.ini", "pipfile", "pipfile.lock", "poetry.lock", "uv.lock", "requirements*.txt", "conftest.py", "sitecustomize.py",
    "usercustomize.py", "*.pth", "hatch_build.py", "build.rs", "cargo.toml", "cargo.lock", ".cargo/config", ".cargo/config.toml",
    "rust-toolchain", "rust-toolchain.toml", "composer.json", "composer.lock", "gemfile", "gemfile.lock", "*.gemspec", "rakefile",
    "*.rake", "extconf.rb", "podfile", "package.swift", "mix.exs", "rebar.config", "go.mod", "go.sum", "go.work", "pom.xml", ".mvn/**",
    "mvnw", "mvnw.cmd", "*.gradle", "*.gradle.kts", "gradlew", "gradlew.bat", "gradle.properties", "gradle/wrapper/**", "build.xml",
    "build.sbt", "project/*.sbt", "project/*.scala", "project.clj", "*.csproj", "*.vcxproj", "*.targets", "*.props", "nuget.config",
    ".pnp.cjs", ".pnp.loader.mjs", "build.zig", "build.zig.zon", ".pylintrc", "*.fsproj", "*.vbproj", "*.proj", "build", "workspace",
    ".zed/**", ".nvim.lua", ".releaserc*", "release.config.*", ".goreleaser.*", ".swcrc", "karma.conf.*", ".mocharc*", ".rspec", "dub.sdl",
    "dub.json", "lefthook.json", "mise.local.toml", ".mise.local.toml", "makefile", "gnumakefile", "makefile.*", "*.mk", "*.mak", "justfile", ".justfile", "*.just", "taskfile.yml", "taskfile.yaml",
    "cmakelists.txt", "*.cmake", "cmakepresets.json", "meson.build", "*.ninja", "build.bazel", "workspace.bazel", "module.bazel",
    "*.bzl", ".bazelrc", "configure", "configure.ac", "sconstruct", "wscript", "earthfile", "tiltfile", "magefile.go", "gulpfile.*",
    "gruntfile.*", "dockerfile", "dockerfile.*", "*.dockerfile", "containerfile", "docker-compose*.yml", "docker-compose*.yaml",
    "compose*.yml", "compose*.yaml", ".devcontainer/**", ".devcontainer.json", "vagrantfile", ".gitpod.yml", "devfile.yaml",
    "skaffold.yaml", "flake.nix", "flake.lock", "shell.nix", "default.nix", "*.tf", "*.tfvars", "terragrunt.hcl", "pulumi.yaml",
    "ansible.cfg", "serverless.yml", "cdk.json", ".envrc", ".env", "mise.toml", ".mise.toml", ".tool-versions", ".vscode/**",
    "*.code-workspace", ".idea/**", "vite.config.*", "vitest.config.*", "webpack.config.*", "rollup.config.*", "jest.config.*",
    "babel.config.*", ".babelrc*", "eslint.config.*", ".eslintrc*", ".prettierrc.*js", "prettier.config.*", "next.config.*",
    "nuxt.config.*", "astro.config.*", "svelte.config.*", "cypress.config.*", "playwright.config.*", "postcss.config.*",
    "tailwind.config.*", ".gdbinit", ".vimrc", ".nvimrc", ".exrc", ".dir-locals.el", ".htaccess", ".user.ini", ".gitignore.ps1"] },
  { verb: "push.agents", why: "an agent that opens the repository takes it as instructions, or starts what it names", patterns: [
    "claude.md", "claude.local.md", "agents.md", "agents.override.md", "agent.md", "gemini.md", ".mcp.json", "mcp.json", ".cursorrules",
    ".clinerules", ".clinerules/**", ".windsurfrules", ".github/copilot-instructions.md", ".github/copilot-setup-steps.yml",
    ".github/instructions/**", ".github/prompts/**", ".github/chatmodes/**", ".github/agents/**", ".aider*", "opencode.json",
    "opencode.jsonc", "skill.md", ".goosehints", "*.cofferdam.yaml", "*.cofferdam.yml", "cofferdam.yaml", "cofferdam.yml", ".cofferdam/**",
    ".claude/**", ".cursor/**", ".codex/**", ".gemini/**", ".opencode/**", ".continue/**", ".windsurf/**", ".roo/**", ".kilocode/**",
    ".amazonq/**", ".kiro/**", ".junie/**", ".goose/**", ".qwen/**", ".agents/**", ".agent/**", ".cline/**"] },
];

interface Compiled {
  readonly row: SpecialPath;
  readonly components: readonly RegExp[];
  /** It means what lies below; and the folder itself, where that is no folder. */
  readonly below: boolean;
}

const sources = SPECIAL_PATHS.flatMap(({ patterns }) => patterns);
const compiled: readonly Compiled[] = SPECIAL_PATHS.flatMap((row) =>
  row.patterns.map((pattern) => ({
    row,
    components: pattern
      .replace(/\/\*\*$/, "")
      .split("/")
      .map((part) => new RegExp(`^${part.split("*").map(literal).join(".*")}$`, "su")),
    below: pattern.endsWith("/**"),
  })),
);

function literal(part: string): string {
  return part.replace(/[$()+.?[\\\]^{|}]/g, "\\$&");
}

// Most patterns end in a fixed name: those are found by it.
const byLastName = new Map<string, Compiled[]>();
const others: Compiled[] = [];
for (const [at, one] of compiled.entries()) {
  const last = sources[at]?.split("/").at(-1) ?? "";
  if (one.below || last.includes("*")) others.push(one);
  else byLastName.set(last, [...(byLastName.get(last) ?? []), one]);
}

/** What a change at `path` (components, as bytes one character each) is, besides a change. */
export function specialOf(
  components: readonly string[],
): { readonly verb: PathVerb; readonly why: string } | undefined {
  const names = components.map(foldName);
  const named = byLastName.get(names.at(-1) ?? "") ?? [];
  const found = [...named, ...others].filter((one) => fits(one, names));
  // The first row is the one that matters most.
  const [first] = found.sort((a, b) => SPECIAL_PATHS.indexOf(a.row) - SPECIAL_PATHS.indexOf(b.row));
  return first && { verb: first.row.verb, why: first.row.why };
}

function fits({ components: wanted, below }: Compiled, names: readonly string[]): boolean {
  const last = names.length - wanted.length;
  // A link or submodule may stand where the folder would: then it is what is below.
  for (let start = below ? 0 : last; start <= last; start += 1) {
    if (start >= 0 && wanted.every((one, at) => one.test(names[start + at] ?? ""))) return true;
  }
  return false;
}

/** Whether something special could stand below a folder, so that not to see it matters. */
export function isDotGit(name: string): boolean {
  const folded = foldName(name);
  // NTFS: short names, streams; HFS+: characters that it leaves out (git's is_ntfs_dotgit, is_hfs_dotgit).
  return folded === ".git" || /^git~[0-9]$/.test(folded);
}

/** Whether `name` would be `.gitmodules`, `.gitattributes`, ... on some file system, and is not so here. */
export function isDisguised(name: string): boolean {
  const folded = foldName(name);
  const isGits = /^\.git(?:modules|attributes|ignore)$|^\.mailmap$/.test(folded);
  return (isGits && folded !== name) || /^gi(?:tmod|tatt|tign|7eba|7d29)~[0-9]$/.test(folded);
}

/** One component as a forgiving file system sees it. */
export function foldName(name: string): string {
  const isPlain = /^[ -~]*$/.test(name);
  const text = isPlain ? name : Buffer.from(name, "latin1").toString("utf8");
  // A backslash is a slash on Windows: what stands behind the last one is the file.
  const own = text.split("\\").at(-1) ?? text;
  const folded = own
    .normalize("NFKC")
    .replace(/\p{Default_Ignorable_Code_Point}|\p{Cf}/gu, "")
    .toLowerCase()
    .replace(/(?<=.):.*$/s, "");
  return withoutTail(folded);
}

/** Without dots and spaces at the end, which NTFS cuts; a name of nothing else stays. */
function withoutTail(name: string): string {
  let end = name.length;
  while (end > 0 && (name[end - 1] === "." || name[end - 1] === " ")) end -= 1;
  return end === 0 ? name : name.slice(0, end);
}
