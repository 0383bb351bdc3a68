/**
 * Which branches and files of a repository are mild, for the hosts of code. What is dangerous cannot be listed
 * whole, so that each says what is mild, and the rest is not.
 *
 * @module
 */

const list = (words: string) => words.split(/\s+/).join("|");

/** How branches are called that are, or lead to, what is deployed. */
const LIVE =
  list(`refs heads main master trunk dev devel develop stable prod production staging stage live
  deploy release releases gh-pages pages hotfix`);

/** Branches with a folder in their name (`fix/a`) that are not the default one, nor called as a live one is. */
export const OWN_BRANCH = {
  differs_from: "current.default_branch",
  only_like: `^(?!(?i:${LIVE})(?:[/_.-]|$))(?!.*(?i:deploy|release|prod))[\\w.-]+/[\\w./-]+$`,
};

/** Folders that hold what is run; all that begin with a dot are such. */
const RUN_FOLDERS = list("hooks? scripts? bin ci deploy infra terraform charts?");

/** Files that CI, package managers, containers and other tools take their orders from, whatever their kind. */
const ORDERS =
  list(`dockerfile containerfile makefile gnumakefile justfile jenkinsfile vagrantfile rakefile
  gemfile procfile brewfile gulpfile gruntfile codeowners package composer deno pyproject cargo setup conftest
  noxfile tox build action compose docker-compose azure-pipelines bitbucket-pipelines cloudbuild appveyor
  buildspec renovate lerna nx turbo rush vercel netlify wrangler fly serverless`);

/** Texts, pictures and sources, by what they end in. */
const KINDS =
  list(`md mdx txt rst adoc csv json svg png jpe?g gif webp css html? ts tsx js jsx mjs cjs py go rs
  rb java kt c h cc cpp hpp cs swift php vue svelte sql proto graphql scala ex exs erl hs ml lua dart r jl zig
  tex`);

/** Files that nothing takes orders from, in plain letters: a file system may fold others. */
export const PLAIN_FILE = {
  only_like: [
    "^",
    `(?!(?:.*/)?(?:\\.|(?i:${RUN_FOLDERS})/))`,
    `(?!(?:.*/)?(?i:${ORDERS})(?:[.-]|$))`,
    "(?!.*\\.(?i:config)\\.)",
    `[\\w ()./-]+\\.(?i:${KINDS})$`,
  ].join(""),
};
