/**
 * What workflows of one repository of GitHub give to whoever changes it: secrets by name, and machines. Values are never
 * answered by this API.
 *
 * @module
 */
import { z } from "zod";
import { readWorkflowText, type CiSays } from "./ci-text.ts";
import { nameOf, type Findings, type Told } from "./findings.ts";
import type { Asker } from "./questions.ts";

export interface Repository {
  /** `owner/name` */
  readonly name: string;
  readonly branch: string;
  /** Of the API, without a slash in front. */
  readonly path: string;
  readonly object: string;
  readonly main: string;
  readonly others: string;
}

const FILES = z.array(
  z.object({ name: z.string().max(200), path: z.string().max(300), type: z.string() }),
);
const FILE = z.object({ encoding: z.literal("base64"), content: z.string() });
const SECRETS = z.object({ secrets: z.array(z.object({ name: z.string() })).max(1000) });
const ENVIRONMENTS = z.object({
  environments: z
    .array(
      z.object({
        name: z.string(),
        protection_rules: z.array(z.object({ type: z.string() })).optional(),
        deployment_branch_policy: z.object({}).nullish(),
      }),
    )
    .max(100),
});

const WORKFLOWS_MAX = 4;
const ENVIRONMENTS_MAX = 3;
const FOLDER = ".github/workflows";

export interface CiPorts {
  readonly findings: Findings;
  readonly asker: Asker;
  readonly repository: Repository;
  /** Whether the token may write files of CI: whatever stands in them now, others may then. */
  readonly canAddWorkflows: Told;
}

export async function repositoryCi(ports: CiPorts): Promise<void> {
  const { findings, asker, repository, canAddWorkflows } = ports;
  const { path, main, others, name } = repository;
  const files = await asker.get(`${path}/contents/${FOLDER}`, FILES);
  const workflows = (files.value ?? []).filter(
    (one) => one.type === "file" && /\.ya?ml$/.test(one.name),
  );
  const said = await textsOf(
    ports,
    workflows.map((one) => one.path),
  );
  // 404 is the answer where there is no such folder.
  const hasNone = files.may === false || (files.value !== undefined && workflows.length === 0);
  if (hasNone && canAddWorkflows === false) return;
  const pipeline = `CI of ${repository.object}`;
  const isTold = files.value !== undefined && workflows.length > 0;
  if (isTold) findings.so(files.where, "ci_runs", main, pipeline);
  else
    findings.assume(`${name}: a workflow can be added, or there is one`, "ci_runs", main, pipeline);
  findings.assume(
    `${name}: whether other branches run workflows stands in them`,
    "ci_runs",
    others,
    pipeline,
  );
  await secretsOf(ports, pipeline, said);
  await environmentsOf(ports, said);
  for (const { deploys } of said) {
    if (deploys === undefined) continue;
    const host =
      deploys.host === undefined ? `the machine that ${name} deploys to` : nameOf(deploys.host);
    const why = `${name}: its workflows log in somewhere by SSH`;
    findings.assume(why, "host", host);
    findings.assume(why, "deploys", pipeline, host, deploys.user ?? "its account");
  }
}

async function textsOf(
  { asker, repository, findings }: CiPorts,
  paths: readonly string[],
): Promise<readonly CiSays[]> {
  const said: CiSays[] = [];
  for (const path of paths.slice(0, WORKFLOWS_MAX)) {
    const encoded = path.split("/").map(encodeURIComponent).join("/");
    const { value } = await asker.get(`${repository.path}/contents/${encoded}`, FILE);
    said.push(
      value === undefined
        ? { secrets: [], takesAll: true, environments: [] }
        : readWorkflowText(Buffer.from(value.content, "base64").toString("utf8")),
    );
  }
  if (paths.length > WORKFLOWS_MAX) {
    findings.note(
      `${repository.name}: ${paths.length} workflows, of which ${WORKFLOWS_MAX} were read`,
    );
    said.push({ secrets: [], takesAll: true, environments: [] });
  }
  return said;
}

/** Secrets of the repository by name, where they are told; else those that its workflows name, and whatever else. */
async function secretsOf(
  { asker, findings, repository, canAddWorkflows }: CiPorts,
  pipeline: string,
  said: readonly CiSays[],
): Promise<void> {
  const { path, name, object } = repository;
  findings.so("every run has one", "ci_holds", pipeline, `GITHUB_TOKEN of ${object}`);
  let isWhole = true;
  for (const kind of ["secrets", "organization-secrets"]) {
    const { value, where } = await asker.get(`${path}/actions/${kind}?per_page=100`, SECRETS);
    if (value === undefined) isWhole = false;
    for (const secret of value?.secrets ?? [])
      findings.so(where, "ci_holds", pipeline, `${nameOf(secret.name)} of ${object}`);
  }
  if (isWhole) return;
  for (const one of new Set(said.flatMap(({ secrets }) => secrets))) {
    if (one !== "GITHUB_TOKEN")
      findings.so(`workflows of ${name}`, "ci_holds", pipeline, `${one} of ${object}`);
  }
  if (canAddWorkflows !== false || said.some(({ takesAll }) => takesAll))
    findings.assume(
      `${name}: names of its secrets were not told`,
      "ci_holds",
      pipeline,
      `other secrets of ${object}`,
    );
}

/** Secrets of environments: those with reviewers need another person, those for some branches need these. */
async function environmentsOf(
  { asker, findings, repository, canAddWorkflows }: CiPorts,
  said: readonly CiSays[],
): Promise<void> {
  const { path, name, object, main, others } = repository;
  const { value, where, may } = await asker.get(`${path}/environments?per_page=100`, ENVIRONMENTS);
  if (value === undefined) {
    if (may !== false)
      findings.assume(
        `${name}: environments were not told`,
        "ci_holds",
        `CI of ${object}`,
        `secrets of environments of ${object}`,
      );
    return;
  }
  const used = new Set(said.flatMap(({ environments }) => environments));
  const reachable = value.environments.filter(
    (one) =>
      canAddWorkflows !== false || used.has(one.name) || said.some(({ takesAll }) => takesAll),
  );
  for (const [at, one] of reachable.entries()) {
    const pipeline = `deployment to ${nameOf(one.name)} of ${object}`;
    const needs = (one.protection_rules ?? []).some(({ type }) => type === "required_reviewers")
      ? 1
      : 0;
    const encoded = encodeURIComponent(one.name);
    const secrets =
      at < ENVIRONMENTS_MAX
        ? await asker.get(`${path}/environments/${encoded}/secrets?per_page=100`, SECRETS)
        : undefined;
    for (const branch of one.deployment_branch_policy ? [main] : [main, others])
      findings.soAfter(needs, where, "ci_runs", branch, pipeline);
    for (const secret of secrets?.value?.secrets ?? [])
      findings.so(
        secrets?.where ?? where,
        "ci_holds",
        pipeline,
        `${nameOf(secret.name)} of ${object} ${nameOf(one.name)}`,
      );
    if (secrets?.value === undefined)
      findings.assume(
        `${name}: secrets of ${nameOf(one.name)} were not told`,
        "ci_holds",
        pipeline,
        `secrets of ${object} ${nameOf(one.name)}`,
      );
  }
}
