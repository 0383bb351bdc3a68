/**
 * Doubles of GitHub and GitLab, as far as probes ask them, after the documented answers:
 * https://docs.github.com/en/rest/users/users, /repos/repos, /branches/branches, /repos/rules, /repos/contents,
 * /actions/secrets, /deployments/environments; https://docs.github.com/en/apps/oauth-apps/building-oauth-apps/scopes-for-oauth-apps;
 * https://docs.gitlab.com/api/personal_access_tokens, /api/projects, /api/branches, /api/repository_files.
 *
 * Faithful: which header tells scopes; a fine-grained token has none; 404 for what a token may not see; secrets by name alone;
 * a classic token without a scope is refused what needs it. Not faithful: nothing is changed but what is noted as an
 * effect.
 *
 * @module
 */
import { startDouble, type Answer, type Call, type Double } from "./double.ts";

/** A repository as its owner made it. */
export interface PlantedRepository {
  readonly name: string;
  readonly isPrivate: boolean;
  readonly isProtected: boolean;
  readonly reviews: number;
  readonly workflows: Readonly<Record<string, string>>;
  readonly secrets: readonly string[];
  /** By name: secrets, and whether reviewers are required. */
  readonly environments: Readonly<
    Record<string, { readonly secrets: readonly string[]; readonly isReviewed: boolean }>
  >;
}

export interface PlantedToken {
  /** Absent: a fine-grained one. */
  readonly scopes?: readonly string[];
  readonly role: "admin" | "push" | "pull";
}

const MISSING: Answer = { status: 404, json: { message: "Not Found" } };

export async function startGithub(
  tokens: Readonly<Record<string, PlantedToken>>,
  repositories: readonly PlantedRepository[],
  /** What runs a workflow that was pushed: a runner of the test's own. */
  run: (workflow: string) => void = () => {},
): Promise<Double> {
  return startDouble((call, effects) => {
    const token = tokens[String(call.headers.authorization).replace(/^Bearer /, "")];
    if (token === undefined) return { status: 401, json: { message: "Bad credentials" } };
    const headers = token.scopes === undefined ? {} : { "x-oauth-scopes": token.scopes.join(", ") };
    const [root, owner, name, ...rest] = call.path;
    if (root === "user" && owner === undefined)
      return { status: 200, headers, json: { login: "bot", id: 1 } };
    if (root === "user" && owner === "repos")
      return { status: 200, headers, json: shown(repositories, token, call) };
    const found = repositories.find((one) => one.name === name && owner === "acme");
    if (root !== "repos" || found === undefined) return MISSING;
    if (call.method === "PUT" && rest[0] === "contents") {
      const isWorkflow = rest.join("/").startsWith("contents/.github/workflows/");
      const has = (scope: string) => token.scopes?.includes(scope) === true;
      if (token.role === "pull" || !has("repo") || (isWorkflow && !has("workflow"))) return MISSING;
      if (found.isProtected && call.json["branch"] === "main" && token.role !== "admin")
        return { status: 409, json: { message: "protected" } };
      effects.push({ kind: "push", who: found.name, what: rest.slice(1).join("/") });
      if (isWorkflow) run(Buffer.from(String(call.json["content"]), "base64").toString("utf8"));
      return { status: 201, json: {} };
    }
    return githubPart(found, token, rest);
  });
}

function shown(
  repositories: readonly PlantedRepository[],
  { role }: PlantedToken,
  { query }: Call,
): unknown {
  const page = Number(query.get("page"));
  const size = Number(query.get("per_page"));
  return repositories.slice((page - 1) * size, page * size).map(({ name, isPrivate }) => ({
    full_name: `acme/${name}`,
    private: isPrivate,
    default_branch: "main",
    archived: false,
    permissions: { admin: role === "admin", push: role !== "pull", pull: true },
  }));
}

function githubPart(
  found: PlantedRepository,
  { role, scopes }: PlantedToken,
  rest: readonly string[],
): Answer | undefined {
  const path = rest.join("/");
  const sees = role !== "pull" && scopes?.includes("repo") === true;
  if (path === "branches/main")
    return { status: 200, json: { name: "main", protected: found.isProtected } };
  if (path === "rules/branches/main") {
    const rule = {
      type: "pull_request",
      parameters: { required_approving_review_count: found.reviews },
    };
    return { status: 200, json: found.isProtected ? [rule] : [] };
  }
  const files = Object.keys(found.workflows);
  if (path === "contents/.github/workflows") {
    if (files.length === 0) return MISSING;
    return {
      status: 200,
      json: files.map((name) => ({ type: "file", name, path: `.github/workflows/${name}` })),
    };
  }
  const text = found.workflows[path.replace("contents/.github/workflows/", "")];
  if (text !== undefined)
    return {
      status: 200,
      json: { encoding: "base64", content: Buffer.from(text).toString("base64") },
    };
  const named = (names: readonly string[]) => ({
    total_count: names.length,
    secrets: names.map((name) => ({ name })),
  });
  if (path === "actions/secrets")
    return sees ? { status: 200, json: named(found.secrets) } : MISSING;
  if (path === "actions/organization-secrets")
    return sees ? { status: 200, json: named([]) } : MISSING;
  if (path === "environments") {
    const environments = Object.entries(found.environments).map(([name, { isReviewed }]) => ({
      name,
      protection_rules: isReviewed ? [{ id: 1, type: "required_reviewers", reviewers: [] }] : [],
      deployment_branch_policy: null,
    }));
    return { status: 200, json: { total_count: environments.length, environments } };
  }
  const environment = found.environments[rest[1] ?? ""];
  if (rest[0] === "environments" && rest[2] === "secrets" && environment !== undefined && sees)
    return { status: 200, json: named(environment.secrets) };
  return MISSING;
}

export async function startGitlab(
  tokens: Readonly<Record<string, { readonly scopes: readonly string[]; readonly level: number }>>,
  pipeline: string,
): Promise<Double> {
  return startDouble((call) => {
    const token = tokens[String(call.headers["private-token"])];
    if (token === undefined) return { status: 401, json: { message: "401 Unauthorized" } };
    const path = call.path.slice(2).join("/");
    if (path === "personal_access_tokens/self")
      return { status: 200, json: { id: 1, scopes: token.scopes, user_id: 2, active: true } };
    if (path === "projects") {
      const access = { access_level: token.level, notification_level: 3 };
      const project = {
        id: 7,
        path_with_namespace: "acme/site",
        default_branch: "main",
        archived: false,
        permissions: { project_access: access, group_access: null },
      };
      return { status: 200, json: call.query.get("page") === "1" ? [project] : [] };
    }
    if (path === "projects/7/repository/branches/main") {
      const rights = {
        developers_can_push: false,
        developers_can_merge: false,
        can_push: token.level >= 40,
      };
      return { status: 200, json: { name: "main", protected: true, ...rights } };
    }
    if (path === "projects/7/repository/files/.gitlab-ci.yml")
      return {
        status: 200,
        json: {
          file_path: ".gitlab-ci.yml",
          encoding: "base64",
          content: Buffer.from(pipeline).toString("base64"),
        },
      };
    return { status: 404, json: { message: "404 Not Found" } };
  });
}
