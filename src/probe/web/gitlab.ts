/**
 * GitLab by its REST API: the token's scopes, its role in each project, whether it may push to and merge into the default
 * branch, and what the pipeline's file names. CI variables are not asked for, since GitLab answers them with their values.
 * https://docs.gitlab.com/api/personal_access_tokens/, /api/projects/, /api/branches/, https://docs.gitlab.com/user/permissions/
 *
 * @module
 */
import { z } from "zod";
import { UNBOUNDED } from "../../blast/index.ts";
import type { Probe, Probed, ProbePorts } from "../probe.ts";
import { readPipelineText } from "./ci-text.ts";
import { every, Findings, nameOf, type Power, type Told } from "./findings.ts";
import { Asker } from "./questions.ts";

const ACCESS = z.object({ access_level: z.number().int() }).nullish();
const PROJECT = z.object({
  id: z.number().int().positive(),
  path_with_namespace: z.string().max(300),
  default_branch: z.string().max(250).nullish(),
  archived: z.boolean().optional(),
  approvals_before_merge: z.number().int().nullish(),
  permissions: z.object({ project_access: ACCESS, group_access: ACCESS }).optional(),
});
const PROJECTS = z.array(PROJECT);
const TOKEN = z.object({ scopes: z.array(z.string()).max(100) });
const BRANCH = z.object({
  protected: z.boolean(),
  developers_can_merge: z.boolean(),
  /** Of whoever asks. */
  can_push: z.boolean(),
});
const FILE = z.object({ encoding: z.literal("base64"), content: z.string() });

/** https://docs.gitlab.com/api/access_requests/: valid access levels. */
const GUEST = 10;
const DEVELOPER = 30;
const MAINTAINER = 40;
const OWNER = 50;

const PER_PAGE = 50;
const PAGES_MAX = 6;
const CLOSE_MAX = 30;

export const gitlabProbe: Probe = {
  system: "gitlab",
  asks: [
    "scopes of the token, projects with its role in each",
    "whether it may push to and merge into default branches",
    "the file of the pipeline: names of secrets, machines it deploys to",
  ],
  probe: (ports) => new GitlabProbe(ports).run(),
};

interface Project {
  readonly id: number;
  readonly name: string;
  readonly object: string;
  readonly main: string;
  readonly others: string;
}

class GitlabProbe {
  readonly #findings: Findings;
  readonly #asker: Asker;

  constructor(ports: ProbePorts) {
    this.#findings = new Findings(ports);
    this.#asker = new Asker(ports, this.#findings, [403, 404]);
  }

  async run(): Promise<Probed> {
    const token = await this.#asker.get("api/v4/personal_access_tokens/self", TOKEN);
    const scopes = token.value && new Set(token.value.scopes);
    // `api` is everything; no other scope writes by this API, but for those of administrators.
    const writes = scopes && ["api", "sudo"].some((one) => scopes.has(one));
    const reads = scopes && (writes === true || scopes.has("read_api"));
    const target = (page: number) =>
      `api/v4/projects?membership=true&order_by=id&per_page=${PER_PAGE}&page=${page}`;
    const { items, isWhole, where } = await this.#asker.pages(target, PROJECTS, {
      perPage: PER_PAGE,
      pagesMax: PAGES_MAX,
    });
    const live = items.filter(({ archived }) => archived !== true);
    const ranked = live.toSorted((a, b) => levelOf(b) - levelOf(a));
    const powers: Power[] = [];
    for (const one of ranked.slice(0, CLOSE_MAX))
      powers.push(...(await this.#project(one, writes, reads)));
    const left = live.length - CLOSE_MAX;
    if (left > 0 || !isWhole) powers.push(...this.#beyond(left, writes));
    this.#findings.powers(where, [...powers, ...this.#account(writes, reads)]);
    return this.#findings.probed();
  }

  async #project(
    one: z.infer<typeof PROJECT>,
    writes: Told,
    reads: Told,
  ): Promise<readonly Power[]> {
    const findings = this.#findings;
    const name = nameOf(one.path_with_namespace);
    const branch = one.default_branch ?? "";
    const project: Project = {
      id: one.id,
      name,
      object: findings.object(`${one.id} ${name}`),
      main: findings.object(`${one.id} ${name} ${nameOf(branch)}`),
      others: findings.object(`${one.id} ${name} other branches`),
    };
    findings.so("the list of projects", "rows", project.object, 1);
    findings.assume("branches are not counted", "rows", project.others, UNBOUNDED);
    const level = levelOf(one);
    const may = (least: number): Told =>
      every(writes, one.permissions === undefined ? undefined : level >= least);
    const state = await this.#asker.get(
      `api/v4/projects/${one.id}/repository/branches/${encodeURIComponent(branch)}`,
      BRANCH,
    );
    const { value } = state;
    const direct = every(may(DEVELOPER), value?.can_push);
    const merges = value && (level >= MAINTAINER || value.developers_can_merge || !value.protected);
    const alone = (one.approvals_before_merge ?? 0) > 0 ? false : merges;
    await this.#pipeline(project, branch, may(DEVELOPER));
    const variables = findings.object(`${one.id} ${name} variables`);
    findings.so(
      "variables are answered with their values",
      "contains",
      variables,
      `CI variables of ${project.object}`,
    );
    return [
      ...projectPowers(project, { may, direct, merge: every(may(DEVELOPER), alone) }),
      ["project.read", project.object, reads],
      ["secret.read", variables, every(reads, level >= MAINTAINER)],
    ];
  }

  async #pipeline(
    { id, name, object, main, others }: Project,
    branch: string,
    pushes: Told,
  ): Promise<void> {
    const findings = this.#findings;
    const target = `api/v4/projects/${id}/repository/files/.gitlab-ci.yml?ref=${encodeURIComponent(branch)}`;
    const { value, where, may } = await this.#asker.get(target, FILE);
    // Whoever pushes a branch brings the file along.
    if (may === false && pushes === false) return;
    const pipeline = `CI of ${object}`;
    const said = value && readPipelineText(Buffer.from(value.content, "base64").toString("utf8"));
    if (said === undefined)
      findings.assume(
        `${name}: a pipeline can be added, or there is one`,
        "ci_runs",
        main,
        pipeline,
      );
    else findings.so(where, "ci_runs", main, pipeline);
    findings.assume(`${name}: a branch brings its own pipeline along`, "ci_runs", others, pipeline);
    for (const secret of said?.secrets ?? [])
      findings.assume(
        `${name}: its pipeline names it, and it may be no secret`,
        "ci_holds",
        pipeline,
        `${secret} of ${object}`,
      );
    findings.assume(
      `${name}: its variables were not asked for`,
      "ci_holds",
      pipeline,
      `CI variables of ${object}`,
    );
    if (said?.deploys === undefined) return;
    const host =
      said.deploys.host === undefined
        ? `the machine that ${name} deploys to`
        : nameOf(said.deploys.host);
    const why = `${name}: its pipeline logs in somewhere by SSH`;
    findings.assume(why, "host", host);
    findings.assume(why, "deploys", pipeline, host, said.deploys.user ?? "its account");
  }

  #beyond(count: number, writes: Told): readonly Power[] {
    const findings = this.#findings;
    const name = "projects that were not looked at";
    const object = findings.own(name);
    const [main, others] = [
      findings.own(`${name}: default branches`),
      findings.own(`${name}: other branches`),
    ];
    const why =
      count > 0
        ? `${count} projects more than are looked at`
        : "the list of projects was not told whole";
    findings.note(`${why}; they count at their worst`);
    findings.assume(why, "rows", object, UNBOUNDED);
    for (const branch of [main, others]) findings.assume(why, "ci_runs", branch, `CI of ${object}`);
    findings.assume(why, "ci_holds", `CI of ${object}`, `CI variables of ${object}`);
    const may = writes === false ? false : undefined;
    return [
      ...projectPowers({ object, main, others }, { may: () => may, direct: may, merge: may }),
      ["project.read secret.read", object, undefined],
    ];
  }

  #account(writes: Told, reads: Told): readonly Power[] {
    const findings = this.#findings;
    const [account, shown] = [findings.own("account"), findings.object("what everyone sees")];
    return [
      ["public.read", shown, true],
      ["account.read graphql.query", account, reads],
      [
        "issue.create issue.create-command comment.create comment.command merge.create merge.create-command page.publish",
        shown,
        writes,
      ],
      ["todo.mark project.create project.create-private project.fork", account, writes],
      ["key.write", account, writes],
      ["token.write", account, writes],
      [
        "group.administer member.write",
        findings.own("groups"),
        writes === false ? false : undefined,
      ],
    ];
  }
}

function levelOf({ permissions }: z.infer<typeof PROJECT>): number {
  return Math.max(
    permissions?.project_access?.access_level ?? 0,
    permissions?.group_access?.access_level ?? 0,
  );
}

interface Rights {
  readonly may: (least: number) => Told;
  readonly direct: Told;
  readonly merge: Told;
}

function projectPowers(
  { object, main, others }: Pick<Project, "object" | "main" | "others">,
  { may, direct, merge }: Rights,
): readonly Power[] {
  return [
    ["issue.create issue.create-command comment.create comment.command", object, may(GUEST)],
    [
      "issue.update issue.update-command issue.arrange issue.move comment.delete page.publish page.delete merge.create " +
        "merge.create-command merge.update merge.update-command merge.cancel merge.approve ci.lint",
      object,
      may(DEVELOPER),
    ],
    [
      "content.push-branch branch.create-own content.push content.delete commit.apply",
      others,
      may(DEVELOPER),
    ],
    ["branch.create tag.create ref.delete", others, may(DEVELOPER)],
    ["content.push content.delete commit.apply", main, direct],
    ["merge.accept", main, merge],
    [
      "release.publish release.delete pipeline.run pipeline.stop schedule.write package.publish",
      object,
      may(DEVELOPER),
    ],
    [
      "package.delete secret.write token.write hook.write member.write key.write protection.write",
      object,
      may(MAINTAINER),
    ],
    ["project.administer", object, may(MAINTAINER)],
    ["project.delete issue.delete", object, may(OWNER)],
  ];
}
