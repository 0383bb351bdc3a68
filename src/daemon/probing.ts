/**
 * Probing: asking the systems of a task file what its credentials can really do. Each question is an action of Cofferdam's
 * own, recorded before it leaves and after, and none is sent of which its system's description says that it does more
 * than read (INV-170), but for fixed texts of a probe.
 *
 * @module
 */
import { basename, dirname, resolve } from "node:path";
import { OWN_SYSTEM } from "../action/index.ts";
import type { Gives, Takes } from "../api/index.ts";
import { describeError, Fault, readTextFile } from "../base/index.ts";
import { principalOf, type Fact } from "../blast/index.ts";
import { isOperation, rowsOfAnswer, type Held } from "../gateway/index.ts";
import { resolveCredentials, variableOf, type TaskGrant } from "../policy/index.ts";
import {
  CREDENTIAL_MARK,
  findProbe,
  forgetFacts,
  QUESTIONS_MAX,
  writeFacts,
  type Probe,
  type Question,
  type Reply,
} from "../probe/index.ts";
import { loadProtocols } from "../protocols/index.ts";
import { requirePlace, type Place } from "../vault/index.ts";
import { openHand, type OwnHand } from "./own-action.ts";
import type { World } from "./world.ts";

type Told = Gives<"probe.task">["grants"][number];

/** Asks every system of the task that has a probe, and keeps what it found. */
export async function probeTask(
  world: World,
  { task: text, grant: only }: Takes<"probe.task">,
): Promise<Gives<"probe.task">> {
  const parsed = world.tasks.parse(text.source, text.fileName, world.clock.now().wallMs);
  const names = new Set(world.credentials.vault.list().map(({ name }) => name));
  const task = resolveCredentials(parsed.task, (one) => names.has(one));
  await loadProtocols(
    task.grants.filter(({ kind }) => kind === "session").map(({ system }) => system),
  );
  const asked = task.grants.filter(({ name }) => only === undefined || name === only);
  if (asked.length === 0) {
    throw new Fault(
      "daemon.probe",
      only === undefined ? "the task file grants nothing" : `no grant ${only}`,
      {
        hint: "name a grant of the task file with --grant",
      },
    );
  }
  const grants: Told[] = [];
  for (const grant of asked) {
    const own = parsed.own.get(grant.system)?.entry;
    const file = grant.ca === undefined ? undefined : resolve(dirname(text.fileName), grant.ca);
    const ca = file === undefined ? undefined : readTextFile(file, { mayWait: false });
    grants.push(await probeGrant(world, { grant, own, ca }));
  }
  return { grants };
}

type At = Parameters<typeof openHand>[2];

/** Has `probe` ask the system of one grant. */
export async function probeGrant(
  world: World,
  place: At,
  probe: Probe | undefined = findProbe(place.grant.system),
): Promise<Told> {
  const { grant } = place;
  const principal = principalOf(grant);
  const told = { grant: grant.name, system: grant.system, principal };
  const without = whyNot(grant, probe);
  if (probe === undefined || without !== undefined) {
    return { ...told, facts: 0, questions: 0, notes: [without ?? ""] };
  }
  const at = new Date(world.clock.now().wallMs).toISOString();
  const [host = ""] = grant.hosts;
  const [port = 0] = grant.ports;
  const given = probe.withOf === undefined ? grant.with : probe.withOf(grant.with);
  const pinned: TaskGrant = {
    ...grant,
    hosts: [host],
    ports: [port],
    ...(given === undefined ? {} : { with: given }),
  };
  const hand = await openHand(world, `probe-${grant.name}`, { ...place, grant: pinned });
  let questions = 0;
  try {
    const ask = async (question: Question): Promise<Reply> => {
      questions += 1;
      if (questions > QUESTIONS_MAX) return nothing(`more than ${QUESTIONS_MAX} questions`);
      return askOne(world, hand, pinned, question);
    };
    // Asked with what the questions need, about the grant as it is written.
    const asked = { ...grant, hosts: [host], ports: [port] };
    const { facts, notes } = await probe.probe({ grant: asked, principal, at, ask });
    if (facts.length === 0) {
      // What it said before is not known to be so any more.
      forgetFacts(world.home.facts, principal);
      return { ...told, facts: 0, questions, notes: [...notes] };
    }
    const who: Fact = {
      predicate: "principal",
      terms: [principal, grant.system],
      persons: 0,
      from: `asked ${at}`,
      isAssumed: false,
    };
    const file = writeFacts(world.home.facts, principal, at, [who, ...facts]);
    return { ...told, facts: facts.length, questions, notes: [...notes], file: basename(file) };
  } finally {
    await hand.close();
  }
}

function whyNot(
  { name, system, hosts, credential, candidates }: TaskGrant,
  probe: Probe | undefined,
): string | undefined {
  if (probe === undefined)
    return `nobody knows what to ask ${system}; what ${name} may do counts at its worst`;
  if (hosts[0]?.startsWith("*") !== false)
    return `${name} has a pattern for its host; write a grant for one host`;
  if (credential === undefined && candidates !== undefined)
    return `${name}: none of its credentials is in the vault`;
  if (credential !== undefined && variableOf(credential) !== undefined) {
    return `${name} has its credential from a variable of whoever starts the run, and not in the vault`;
  }
  return undefined;
}

function nothing(failure: string): Reply {
  return { status: 0, body: Buffer.alloc(0), isCut: false, failure };
}

async function askOne(
  world: World,
  hand: OwnHand,
  grant: TaskGrant,
  question: Question,
): Promise<Reply> {
  const held = heldOf(grant, question);
  const { effects, verb } = hand.describe(held);
  const isReading = effects.every((effect) => effect === "read" || effect === "read-private");
  if (!isReading && !("operation" in question && question.isFixed === true)) {
    return nothing(`${verb} does more than read (${effects.join(", ")}), and was not asked`);
  }
  try {
    const credential = await credentialOf(world, grant, held);
    const reason = "a person asks what this credential can do";
    const said = {
      held,
      credential,
      rule: `${OWN_SYSTEM}.probe`,
      reason,
      outcome: { probe: grant.name },
    };
    const { outcome, answer } = await hand.act(said);
    if (answer === undefined) return nothing(outcome.failure?.detail ?? "nothing was answered");
    const { status, body, isCut, headers } = answer;
    const rows = status === 200 ? rowsOfAnswer(grant.system, body) : undefined;
    return { status, body, isCut, headers, ...(rows === undefined ? {} : { rows }) };
  } catch (error) {
    // The record must not miss a question: what cannot be written down ends the probe.
    if (error instanceof Fault && error.code.startsWith("ledger.")) throw error;
    return nothing(describeError(error));
  }
}

async function credentialOf(world: World, grant: TaskGrant, held: Held) {
  const { credential } = grant;
  if (credential === undefined) return undefined;
  const { vault } = world.credentials;
  const scheme = (isOperation(held) ? grant.system : held.scheme) as Place["scheme"];
  const place = { scheme, host: held.host, port: held.port };
  requirePlace(credential, vault.show(credential).binding, place);
  return { lease: await vault.lease(credential, place), placeholder: CREDENTIAL_MARK };
}

function heldOf(grant: TaskGrant, question: Question): Held {
  const [host = ""] = grant.hosts;
  const [port = 0] = grant.ports;
  if ("operation" in question) return { host, port, operation: question.operation, facts: {} };
  const [method = "", path = ""] = question.request.split(" ");
  const body =
    question.json === undefined ? {} : { body: Buffer.from(JSON.stringify(question.json)) };
  return {
    scheme: grant.tls ? "https" : "http",
    host,
    port,
    method,
    target: `${grant.under ?? ""}${path}`,
    headers: [
      ...["accept", "application/json", "user-agent", "cofferdam"],
      ...(question.json === undefined ? [] : ["content-type", "application/json"]),
      ...Object.entries(question.headers ?? {}).flat(),
    ],
    facts: {},
    ...body,
  };
}
