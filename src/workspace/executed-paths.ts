/**
 * Paths that other programs execute: who writes one of these runs code later, outside the sandbox.
 *
 * A change to such a path is an `execute` effect and is applied only where a person named it. Patterns
 * match at any depth (a nested repository's hook is a hook), in any letter case and through odd
 * spellings, since the file system that the workspace ends up on may fold them. `*` stands for
 * anything within one component, a last `**` for anything below. A `tree` is confirmed as one, by the folder's own path: nobody reads
 * the names of 30,000 dependencies. What a file's content or mode adds to this is decided in changes.ts.
 *
 * @module
 */
import { bytesOf, type RawPath } from "./path-text.ts";

/** One row: what matches, what a person is told, and why the row is there. */
export interface ExecutedPath {
  readonly pattern: string;
  readonly reason: string;
  readonly why: string;
  /** The whole folder is confirmed under its own name. */
  readonly tree?: true;
  /** Never copied, confirmed or not. */
  readonly never?: true;
}

const row = (reason: string, why: string, ...patterns: readonly string[]): ExecutedPath[] =>
  patterns.map((pattern) => ({ pattern, reason, why }));
const tree = (reason: string, why: string, ...patterns: readonly string[]): ExecutedPath[] =>
  row(reason, why, ...patterns).map((one) => ({ ...one, tree: true }));

// prettier-ignore
export const EXECUTED_PATHS: readonly ExecutedPath[] = [
  { pattern: ".git", tree: true, never: true, reason: "Git's own data: hooks and configuration that run commands",
    why: "hooks, core.fsmonitor, filters, worktree pointers; commits come by fetch instead" },

  ...tree("installed dependencies, run by the programs that load them", "one confirmation for one install",
    "node_modules", "bower_components", "jspm_packages", "site-packages", ".venv", "venv", ".tox", ".nox",
    ".bundle", ".yarn", ".pnpm-store", ".pnp"),
  ...tree("compiled code that is loaded in place of its source", "Python trusts a matching time stamp",
    "__pycache__"),
  ...tree("build output that build tools run", "build scripts are cached here and run again", "target/debug/build",
    "target/release/build", ".gradle", "buildsrc"),

  ...row("the limits of Cofferdam's tasks", "a run that changed or removed it would lift what holds the next one",
    "blast-budget.yaml"),

  ...row("continuous integration: runs with the project's secrets", "a pushed file is executed by the forge",
    ".github/workflows/**", ".github/actions/**", ".gitlab-ci.yml", ".gitlab-ci.yaml", ".gitlab/ci/**",
    ".circleci/**", ".travis.yml", "azure-pipelines.yml", "azure-pipelines.yaml", "bitbucket-pipelines.yml",
    "jenkinsfile", "jenkinsfile.*", ".drone.yml", ".woodpecker.yml", ".woodpecker/**", ".buildkite/**",
    ".forgejo/workflows/**", ".gitea/workflows/**", ".cirrus.yml", "appveyor.yml", ".appveyor.yml",
    "cloudbuild.yaml", "buildspec.yml", ".ci/**", ".teamcity/**", ".semaphore/**", "codemagic.yaml",
    ".github/dependabot.yml", "renovate.json", ".renovaterc", ".renovaterc.json", "vercel.json",
    "netlify.toml", "fly.toml", "render.yaml", "procfile", "wrangler.toml"),
  ...row("Git reads it and may run what it names", "hooks managers and submodules", ".gitmodules", ".gitconfig",
    ".husky/**", ".githooks/**", "githooks/**", "lefthook.yml", "lefthook.yaml", ".lefthook.yml",
    ".pre-commit-config.yaml", ".pre-commit-config.yml", ".pre-commit-hooks.yaml", ".overcommit.yml",
    ".lintstagedrc", ".lintstagedrc.*", "lint-staged.config.*"),

  ...row("package scripts and hooks", "an install or a build runs them", "package.json", ".npmrc", ".yarnrc",
    ".yarnrc.yml", ".pnpmfile.cjs", "pnpm-workspace.yaml", "bunfig.toml", "deno.json", "deno.jsonc", "binding.gyp",
    "composer.json", "gemfile", "*.gemspec", "rakefile", "rakefile.rb", "podfile", "package.swift", "mix.exs", "rebar.config",
    "setup.py", "setup.cfg", "pyproject.toml", "pip.conf", "noxfile.py", "tox.ini", "pipfile", "hatch_build.py",
    "project.clj", "build.sbt", "project/*.sbt", "project/*.scala", "pom.xml", ".mvn/**", "mvnw", "mvnw.cmd",
    "build.gradle", "build.gradle.kts", "settings.gradle", "settings.gradle.kts", "gradlew", "gradlew.bat",
    "gradle.properties", "gradle/wrapper/**", "init.gradle", "*.gradle", "*.gradle.kts", "build.xml",
    "cargo.toml", ".cargo/config", ".cargo/config.toml", "build.rs", "rust-toolchain", "rust-toolchain.toml",
    "directory.build.props", "directory.build.targets", "*.csproj", "*.targets", "nuget.config"),
  ...row("a lock file decides what the next install runs", "it may name another source", "package-lock.json",
    "npm-shrinkwrap.json", "yarn.lock", "pnpm-lock.yaml", "bun.lock", "bun.lockb", "poetry.lock", "uv.lock",
    "pipfile.lock", "requirements*.txt", "gemfile.lock", "cargo.lock", "composer.lock", "go.mod", "go.sum", "go.work"),
  ...row("build rules", "a build runs their commands", "makefile", "gnumakefile", "makefile.*", "*.mk", "*.mak", "justfile",
    ".justfile", "*.just", "taskfile.yml", "taskfile.yaml", "taskfile.dist.yml", "taskfile.dist.yaml",
    "cmakelists.txt", "*.cmake", "cmakepresets.json", "meson.build", "build.ninja", "build", "build.bazel", "workspace",
    "workspace.bazel", "module.bazel", "*.bzl", ".bazelrc", "configure", "configure.ac", "sconstruct", "wscript",
    "earthfile", "tiltfile", "dagger.json", "magefile.go", "gulpfile.*", "gruntfile.*", "nx.json", "turbo.json",
    "vite.config.*", "vitest.config.*", "webpack.config.*", "rollup.config.*", "jest.config.*", "babel.config.*",
    ".babelrc*", "eslint.config.*", ".eslintrc*", ".prettierrc.*js", "prettier.config.*", "postcss.config.*",
    "tailwind.config.*", "next.config.*", "nuxt.config.*", "astro.config.*", "svelte.config.*", "metro.config.*",
    "karma.conf.*", "cypress.config.*", "playwright.config.*", ".mocharc*", "tsup.config.*", "rolldown.config.*"),
  ...row("container build or start", "commands run on the next build or up", "dockerfile", "dockerfile.*", "*.dockerfile",
    "containerfile", "docker-compose*.yml", "docker-compose*.yaml", "compose*.yml", "compose*.yaml",
    ".devcontainer/**", ".devcontainer.json", "devcontainer.json", "vagrantfile", ".gitpod.yml",
    "devfile.yaml", "skaffold.yaml", "flake.nix", "shell.nix", "default.nix", "devbox.json"),
  ...row("infrastructure code", "applied with the operator's rights", "*.tf", "*.tfvars", "terragrunt.hcl", "pulumi.yaml",
    "ansible.cfg", "serverless.yml", "cdk.json"),

  ...row("imported by Python by its name alone", "collected without being asked for", "conftest.py", "sitecustomize.py",
    "usercustomize.py", "*.pth", "pytest.ini", ".pdbrc", ".pythonstartup", ".pythonrc", ".pythonrc.py", "pyvenv.cfg"),
  ...row("read by an interpreter or debugger when it starts here", "auto-load files", ".gdbinit", ".lldbinit", ".irbrc", ".pryrc",
    ".rspec", ".rprofile", ".renviron", ".octaverc", ".ghci", ".noderc", ".vimrc", ".nvimrc", ".exrc", ".nvim.lua",
    ".lvimrc", ".dir-locals.el", ".dir-locals-2.el", ".emacs", ".screenrc", ".tmux.conf", ".psqlrc", ".sqliterc",
    ".my.cnf", ".perltidyrc", ".luarc.lua", ".wgetrc", ".curlrc"),
  ...row("shell start-up or environment", "run by every shell, or on entering the folder", ".envrc", ".env", ".env.*", ".direnv/**",
    ".bashrc", ".bash_profile", ".bash_login", ".bash_logout", ".bash_aliases", ".profile", ".zshrc", ".zshenv",
    ".zprofile", ".zlogin", ".zlogout", ".kshrc", ".cshrc", ".tcshrc", ".login", "config.fish", "conf.d/*.fish",
    ".xinitrc", ".xprofile", ".xsession", ".inputrc", ".pam_environment", ".autoenv.zsh",
    "mise.toml", ".mise.toml", "mise.local.toml", ".mise/**", ".config/mise/**", ".tool-versions", ".nvmrc", ".node-version",
    ".python-version", ".ruby-version"),

  ...row("editor settings and tasks", "opening or building the folder runs them", ".vscode/**", "*.code-workspace", ".idea/**",
     ".fleet/**", ".zed/**", ".sublime-project", "*.sublime-project", ".nova/**", ".helix/**", ".vs/**",
    ".project", ".classpath", ".settings/**", "nbproject/**", ".theia/**"),
  ...row("agent memory or configuration", "the next agent reads it as instructions, or starts what it names", "claude.md",
    "claude.local.md", "agents.md", "agents.override.md", "agent.md", "gemini.md", ".mcp.json", "mcp.json", ".cursorrules",
    ".cursorignore", ".clinerules", ".clinerules/**", ".windsurfrules", ".github/copilot-instructions.md",
    ".github/instructions/**", ".github/prompts/**", ".github/chatmodes/**", ".github/agents/**", ".aider*",
    "opencode.json", "opencode.jsonc", "crush.json", "skill.md", ".goosehints", "warp.md"),
  ...tree("agent memory or configuration", "hooks, commands, skills and servers that the next agent starts", ".claude",
    ".cursor", ".codex", ".gemini", ".opencode", ".aider", ".continue", ".windsurf", ".roo", ".kilocode", ".amazonq",
    ".kiro", ".junie", ".augment", ".goose", ".qwen", ".agents", ".agent", ".cline", ".trae", ".crush", ".factory"),
  ...row("a task file of Cofferdam: it grants access", "a run may not widen the next one", "*.cofferdam.yaml", "*.cofferdam.yml",
    "cofferdam.yaml", "cofferdam.yml", ".cofferdam/**"),

  ...row("logs a person or a program in", "keys, hosts and commands at login", "authorized_keys", "authorized_keys2", ".rhosts",
    ".shosts", ".netrc", ".forward", ".procmailrc", ".mailcap", ".k5login", "sudoers", "sudoers.d/*", ".pgpass"),
  ...tree("logs a person or a program in", "ProxyCommand, keys, agents", ".ssh", ".gnupg", ".aws", ".kube", ".docker",
    ".azure"),
  ...row("run by the system at a time or at start", "cron, systemd, init, autostart", "crontab", "*.crontab", "cron.d/*",
    "cron.daily/*", "cron.hourly/*", "cron.weekly/*", "cron.monthly/*", "*.service", "*.timer", "*.socket", "*.path",
    "*.mount", "*.automount", "*.target", "*.slice", "*.service.d/*", "*.desktop", "autostart/*", "init.d/*",
    "rc.local", "*.plist", "launchagents/*", "udev/rules.d/*", "supervisord.conf", "monit.rc", ".pm2/**",
    "ecosystem.config.*", "ld.so.preload", "ld.so.conf", "ld.so.conf.d/*", ".htaccess", ".user.ini"),
];

/** What matched: the row and the path to name, which for a tree is the matched folder's own. */
export interface ExecutedMatch {
  readonly rule: ExecutedPath;
  readonly unit: RawPath;
}

interface Compiled {
  readonly rule: ExecutedPath;
  readonly components: readonly RegExp[];
  /** The pattern ended in `/**`: it means what lies below, each by its own name. */
  readonly below: boolean;
}

const compiled: readonly Compiled[] = EXECUTED_PATHS.map((rule) => {
  const below = rule.pattern.endsWith("/**");
  const components = rule.pattern
    .replace(/\/\*\*$/, "")
    .split("/")
    .map(compileComponent);
  return { rule, components, below };
});

function compileComponent(text: string): RegExp {
  const literal = (part: string): string => part.replace(/[$()+.?[\\\]^{|}]/g, "\\$&");
  return new RegExp(`^${text.split("*").map(literal).join(".*")}$`, "su");
}

// Nearly all patterns end in a fixed name: one look-up instead of 400 matches for each component.
const byLastName = new Map<string, Compiled[]>();
const byPattern: Compiled[] = [];
for (const one of compiled) {
  const last =
    one.rule.pattern
      .replace(/\/\*\*$/, "")
      .split("/")
      .at(-1) ?? "";
  if (last.includes("*")) byPattern.push(one);
  else byLastName.set(last, [...(byLastName.get(last) ?? []), one]);
}

/**
 * The first rule that a path matches, looked for from the root down so that a tree covers what it
 * holds; `never` rules come before all others. Rules that are no trees mean files, never a folder.
 */
export function matchExecutedPath(raw: RawPath, isFolder: boolean): ExecutedMatch | undefined {
  const parts = raw.split("/");
  const names = parts.map(foldName);
  let found: ExecutedMatch | undefined;
  for (let end = 1; end <= names.length; end += 1) {
    const isLast = end === names.length;
    const wanted = (one: Compiled): boolean =>
      (one.rule.tree === true || (!isFolder && isLast !== one.below)) &&
      endsWith(names, end, one.components);
    const named = byLastName.get(names[end - 1] ?? "")?.find(wanted);
    const hit = named ?? (found === undefined && isLast ? byPattern.find(wanted) : undefined);
    if (hit === undefined) continue;
    const unit = hit.rule.tree === true ? parts.slice(0, end).join("/") : raw;
    if (hit.rule.never === true) return { rule: hit.rule, unit };
    found ??= { rule: hit.rule, unit };
  }
  return found;
}

// Beginnings of patterns: `.github` of `.github/workflows/**`.
const beginnings = compiled.flatMap(({ rule, components, below }) =>
  (below ? components : components.slice(0, -1)).map((_, n) => ({
    rule,
    components: components.slice(0, n + 1),
  })),
);

/**
 * The rule whose paths would lie below a *link* at `raw`: `.vscode -> elsewhere` makes an editor run
 * `elsewhere/tasks.json`, whose own path tells nothing.
 */
export function matchExecutedBelow(raw: RawPath): ExecutedPath | undefined {
  const names = raw.split("/").map(foldName);
  return beginnings.find(({ components }) => endsWith(names, names.length, components))?.rule;
}

function endsWith(names: readonly string[], end: number, components: readonly RegExp[]): boolean {
  const start = end - components.length;
  return start >= 0 && components.every((one, n) => one.test(names[start + n] ?? ""));
}

/**
 * One component as a forgiving file system sees it: case folded, compatibility forms and characters
 * without width gone, trailing dots, spaces and stream names cut (NTFS), the short name of `.git`.
 */
export function foldName(name: string): string {
  const text = /^[ -~]*$/.test(name) ? name : bytesOf(name).toString("utf8");
  const folded = text
    .normalize("NFKC")
    .replace(/\p{Default_Ignorable_Code_Point}|\p{Cf}/gu, "")
    .toLowerCase()
    .replace(/(?<=.):.*$/s, "")
    .replace(/(?<=[^. ])[. ]+$/, "");
  return folded === "git~1" ? ".git" : folded;
}
