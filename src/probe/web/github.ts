/**
 * GitHub by its REST API: what the token's scopes are (X-OAuth-Scopes, of classic tokens and OAuth; fine-grained tokens and
 * those of Apps tell none), which repositories it may change, what protects their default branches, and what their
 * workflows would give: secrets by name, environments with or without reviewers, machines that they deploy to.
 * https://docs.github.com/en/rest, https://docs.github.com/en/apps/oauth-apps/building-oauth-apps/scopes-for-oauth-apps
 *
 * @module
 */
import { z } from "zod";
import { UNBOUNDED } from "../../blast/index.ts";
import type { Probe, Probed, ProbePorts } from "../probe.ts";
import { every, Findings, nameOf, some, type Power, type Told } from "./findings.ts";
import { repositoryCi, type Repository } from "./github-ci.ts";
import { Asker } from "./questions.ts";

const PERMISSIONS = z.object({
  admin: z.boolean(),
  push: z.boolean(),
  pull: z.boolean().optional(),
});
const REPOSITORY = z.object({
  full_name: z.string().regex(/^[\w.-]{1,100}\/[\w.-]{1,100}$/),
  private: z.boolean(),
  default_branch: z.string().min(1).max(250),
  permissions: PERMISSIONS.optional(),
  archived: z.boolean().optional(),
});
const REPOSITORIES = z.array(REPOSITORY);
const INSTALLED = z
  .object({ repositories: REPOSITORIES })
  .transform(({ repositories }) => repositories);
const USER = z.object({ login: z.string() });
const BRANCH = z.object({ protected: z.boolean() });
const RULES = z.array(
  z.object({
    type: z.string(),
    parameters: z
      .object({ required_approving_review_count: z.number().int().optional() })
      .optional(),
  }),
);

const PER_PAGE = 100;
const PAGES_MAX = 5;
/** Each costs up to 12 questions, and some 60 facts. */
const CLOSE_MAX = 24;

export const githubProbe: Probe = {
  system: "github",
  asks: [
    "scopes of the token (X-OAuth-Scopes), who it is",
    "repositories with its permissions; protection of default branches",
    "workflow files, names of secrets, environments and their reviewers",
  ],
  probe: (ports) => new GithubProbe(ports).run(),
};

class GithubProbe {
  readonly #findings: Findings;
  readonly #asker: Asker;
  /** Below the host: an Enterprise Server has its API at /api/v3. */
  readonly #base: string;

  constructor(ports: ProbePorts) {
    this.#findings = new Findings(ports);
    this.#asker = new Asker(ports, this.#findings, [403, 404]);
    const isEnterprise =
      ports.grant.under === undefined && ports.grant.hosts[0]?.startsWith("api.") === false;
    this.#base = isEnterprise ? "api/v3/" : "";
  }

  async run(): Promise<Probed> {
    const user = await this.#asker.get(`${this.#base}user`, USER);
    const scope = scopesOf(user.header("x-oauth-scopes"));
    const isUser = user.may === true;
    const target = (page: number) =>
      `${this.#base}${isUser ? "user" : "installation"}/repos${isUser ? "" : "itories"}?per_page=${PER_PAGE}&page=${page}`;
    const schema = isUser ? REPOSITORIES : INSTALLED;
    const { items, isWhole, where } = await this.#asker.pages(target, schema, {
      perPage: PER_PAGE,
      pagesMax: PAGES_MAX,
    });
    const live = items.filter(({ archived }) => archived !== true);
    const changeable = live.filter(({ permissions }) => permissions?.push !== false);
    const close = changeable.slice(0, CLOSE_MAX);
    const powers: Power[] = [];
    for (const one of close) powers.push(...(await this.#repository(one, scope)));
    const read = this.#findings.own("repositories that it only reads");
    powers.push(...readPowers(read, items.length > 0 ? true : undefined));
    if (close.length < changeable.length || !isWhole)
      powers.push(...this.#beyond(changeable.length - close.length, scope));
    powers.push(...this.#account(scope));
    this.#findings.powers(where, powers);
    return this.#findings.probed();
  }

  async #repository(one: z.infer<typeof REPOSITORY>, scope: Scope): Promise<readonly Power[]> {
    const { full_name: name, default_branch: branch, permissions } = one;
    const findings = this.#findings;
    const repository: Repository = {
      name,
      branch,
      path: `${this.#base}repos/${name}`,
      object: findings.object(name),
      main: findings.object(`${name} ${nameOf(branch)}`),
      others: findings.object(`${name} other branches`),
    };
    const inScope = one.private ? scope("repo") : scope("repo", "public_repo");
    // A fine-grained token has no more than its owner, and how much less it does not say.
    const push = every(permissions?.push, inScope);
    const admin = every(permissions?.admin, inScope);
    const gate = await this.#gate(repository);
    findings.so("the list of repositories", "rows", repository.object, 1);
    findings.assume("branches are not counted", "rows", repository.others, UNBOUNDED);
    const workflow = every(push, scope("workflow"));
    await repositoryCi({ findings, asker: this.#asker, repository, canAddWorkflows: workflow });
    return repositoryPowers(repository, {
      push,
      admin,
      direct: some(every(push, gate.direct), admin),
      merge: some(every(push, gate.merge), admin),
      workflow,
      deletes: every(admin, scope("delete_repo")),
    });
  }

  /** Whether somebody who may push changes the default branch alone: directly, or by a merge that nobody approves. */
  async #gate({
    path,
    branch,
  }: Repository): Promise<{ readonly direct: Told; readonly merge: Told }> {
    const encoded = branch.split("/").map(encodeURIComponent).join("/");
    const state = await this.#asker.get(`${path}/branches/${encoded}`, BRANCH);
    const rules = await this.#asker.get(`${path}/rules/branches/${encoded}?per_page=100`, RULES);
    if (state.value === undefined) return { direct: undefined, merge: undefined };
    if (!state.value.protected) return { direct: true, merge: true };
    const types = new Set((rules.value ?? []).map(({ type }) => type));
    const review = rules.value?.find(({ type }) => type === "pull_request");
    const approvals = review?.parameters?.required_approving_review_count;
    // What rulesets do not say classic protection may.
    return {
      direct: types.has("pull_request") || types.has("update") ? false : undefined,
      merge: approvals !== undefined && approvals > 0 ? false : undefined,
    };
  }

  /** Repositories beyond those that were looked at: whatever the scopes let one do, on one that stands for all. */
  #beyond(count: number, scope: Scope): readonly Power[] {
    const findings = this.#findings;
    const name = "repositories that were not looked at";
    const object = findings.own(name);
    const [main, others] = [
      findings.own(`${name}: default branches`),
      findings.own(`${name}: other branches`),
    ];
    const repository = { name, branch: "", path: "", object, main, others };
    const why =
      count > 0
        ? `${count} repositories more than are looked at`
        : "the list of repositories was not told whole";
    findings.note(`${why}; they count at their worst`);
    findings.assume(why, "rows", object, UNBOUNDED);
    const pipeline = `CI of ${object}`;
    for (const branch of [main, others]) findings.assume(why, "ci_runs", branch, pipeline);
    findings.assume(why, "ci_holds", pipeline, `secrets of ${object}`);
    const may = unsure(scope("repo", "public_repo"));
    const all = {
      push: may,
      admin: may,
      direct: may,
      merge: may,
      workflow: may,
      deletes: unsure(scope("delete_repo")),
    };
    return repositoryPowers(repository, all);
  }

  #account(scope: Scope): readonly Power[] {
    const findings = this.#findings;
    const [account, shown] = [findings.own("account"), findings.object("what everyone sees")];
    const writes = scope("repo", "public_repo");
    return [
      ["public.read markdown.render search graphql.query", shown, true],
      ["account.read", account, true],
      // Any public repository takes issues and comments of whoever may write to public ones.
      [
        "issue.create comment.create comment.update comment.delete reaction.write pull.create review.comment review.update",
        shown,
        writes,
      ],
      ["repo.fork repo.create repo.create-private repo.generate", account, writes],
      ["gist.publish gist.delete", account, scope("gist")],
      ["project.write", account, scope("project", "repo")],
      ["account.follow", account, scope("user", "user:follow", "repo", "public_repo")],
      ["notification.mark", account, scope("notifications", "repo")],
      ["codespace.run codespace.delete", account, scope("codespace")],
      ["token.create token.revoke", account, scope("admin:org", "admin:enterprise")],
      [
        "key.write",
        account,
        scope(
          "admin:public_key",
          "write:public_key",
          "admin:gpg_key",
          "write:gpg_key",
          "admin:ssh_signing_key",
          "write:ssh_signing_key",
          "user",
        ),
      ],
      ["package.delete", account, scope("delete:packages")],
      ["account.administer", account, scope("user", "write:packages")],
      [
        "org.administer",
        account,
        scope("admin:org", "write:org", "admin:org_hook", "admin:enterprise"),
      ],
    ];
  }
}

/** Whether the token has one of some scopes. */
type Scope = (...names: string[]) => Told;

/** `repo, workflow`; fine-grained tokens and Apps have no such header. */
function scopesOf(header: string | undefined): Scope {
  if (header === undefined) return () => undefined;
  const scopes = new Set(header.split(",").map((one) => one.trim()));
  return (...names) => names.some((name) => scopes.has(name));
}

function unsure(told: Told): Told {
  return told === false ? false : undefined;
}

function readPowers(object: string, may: Told): readonly Power[] {
  return [["repo.read release.draft-notes", object, may]];
}

interface Rights {
  readonly push: Told;
  readonly admin: Told;
  /** The default branch, without anybody else. */
  readonly direct: Told;
  readonly merge: Told;
  /** Files of CI. */
  readonly workflow: Told;
  readonly deletes: Told;
}

function repositoryPowers(
  { object, main, others }: Pick<Repository, "object" | "main" | "others">,
  { push, admin, direct, merge, workflow, deletes }: Rights,
): readonly Power[] {
  return [
    ...readPowers(object, true),
    [
      "issue.create issue.update comment.create comment.update comment.delete reaction.write label.write " +
        "label.delete pull.create pull.update pull.request-review review.comment review.update review.delete",
      object,
      push,
    ],
    ["content.push-branch object.write ref.create-branch", others, push],
    [
      "content.push content.delete ref.create ref.update ref.force ref.delete branch.merge",
      others,
      workflow,
    ],
    ["content.push content.delete ref.update branch.merge", main, direct],
    ["pull.merge", main, merge],
    ["review.approve workflow.approve status.set", object, push],
    ["release.draft release.publish release.update release.upload release.delete", object, push],
    ["workflow.run deployment.create", object, push],
    ["workflow.stop workflow.delete deployment.delete", object, push],
    // Whoever may push may also write what CI is given: docs, "Create or update a repository secret".
    ["secret.write", object, push],
    ["security.write advisory.write", object, push],
    ["secret.read-leaked hook.write collaborator.write key.write protection.write", object, admin],
    ["repo.describe repo.update repo.transfer repo.administer", object, admin],
    ["repo.delete", object, deletes],
  ];
}
