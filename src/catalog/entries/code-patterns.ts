/**
 * Which branches and files of a repository are mild, for the hosts of code. Neither list can be complete, so
 * that each says what is mild, and the rest is not.
 *
 * @module
 */

/** Branches with a folder in their name (`fix/a`) that are not the default one, nor named as what is deployed is. */
export const OWN_BRANCH = {
  differs_from: "current.default_branch",
  only_like:
    "^(?!(?i:refs|heads|main|master|trunk|dev|devel|develop|stable|prod|production|staging|stage|live|deploy|release|releases|gh-pages|pages|hotfix)(?:[/_.-]|$))(?!.*(?i:deploy|release|prod))[\\w.-]+/[\\w./-]+$",
};

/**
 * Files that nothing executes: none that CI, hooks, editors, package managers or containers take their orders
 * from, and no script; whatever begins with a dot counts as such an order.
 */
export const PLAIN_FILE = {
  only_like:
    "^(?!(?:.*/)?(?:\\.|(?i:hooks?|scripts?|bin|ci|deploy|infra|terraform|charts?)/))(?!(?:.*/)?(?i:dockerfile|containerfile|makefile|gnumakefile|justfile|jenkinsfile|vagrantfile|rakefile|gemfile|procfile|brewfile|codeowners|package|composer|deno|pyproject|cargo|setup|conftest|noxfile|tox|build|action|compose|docker-compose|azure-pipelines|bitbucket-pipelines|cloudbuild|appveyor|buildspec|vercel|netlify|wrangler|fly|serverless)(?:[.-]|$))(?:.*/)?[\\w ().-]+\\.(?i:md|mdx|txt|rst|adoc|csv|json|svg|png|jpe?g|gif|webp|css|html?|ts|tsx|js|jsx|mjs|cjs|py|go|rs|rb|java|kt|c|h|cc|cpp|hpp|cs|swift|php|vue|svelte|sql|proto|graphql|scala|ex|exs|erl|hs|ml|lua|dart|r|jl|zig|tex)$",
};
