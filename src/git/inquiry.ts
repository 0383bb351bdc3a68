/**
 * What has to be asked before a push can be judged, question by question: the server's branches; commits
 * that the push builds upon with their trees; what is between an old tip and a new one; old contents, to be
 * shown beside the new ones. Pure: whoever can ask (over HTTP, SSH) does, and tells the answers.
 *
 * @module
 */
import { fetchRequest, readFetched, readRefs, refsRequest, type FetchPlan } from "./fetch.ts";
import { edgesOf } from "./history.ts";
import { FLUSH } from "./pkt-line.ts";
import { plainRequest } from "./plain-upload.ts";
import type { Facts } from "./known.ts";
import { factsOf, GIT_FACT } from "./known.ts";
import { FORMATS, type GitObject, type ObjectId } from "./object-format.ts";
import {
  judgePush,
  openPush,
  type Known,
  type OpenPush,
  type Push,
  type ServerRefs,
} from "./push.ts";
import type { Readable } from "./unreadable.ts";
import { contentOf } from "./push-content.ts";
import { MODES } from "./objects.ts";
import { UNKNOWN_TREE } from "./tree-diff.ts";
import { PROTECTED_BY_DEFAULT } from "./ref-name.ts";

/** One question to git-upload-pack. */
export interface Question {
  /** In protocol version 2: one request. */
  readonly body: Buffer;
  /** In version 0: all that a client says. What it is answered with, {@link answerOf} translates. */
  readonly plain: Buffer;
}

/** Beyond it what was learnt does not go along, and the push counts as if nothing were known. */
const FACT_CHARS_MAX = 1 << 20;
const QUESTIONS_MAX = 12;
const OLD_BLOBS_MAX = 200;
const WANTS_MAX = 256;

type Step = "around" | "bases" | "trees" | "between" | "blobs";
const STEPS: readonly Step[] = ["around", "bases", "trees", "between", "blobs"];

export class PushInquiry {
  readonly #open: OpenPush | undefined;
  readonly #objects = new Map<ObjectId, GitObject>();
  readonly #asked = new Set<string>();
  #refs: ServerRefs | undefined;
  #pending: { readonly plan?: FetchPlan } | undefined;
  #questions = 0;
  #judged: Readable<Push> | undefined;
  #areRefsAsked = false;
  /** Servers of old have no filters: then a fetch brings the contents as well. */
  #canFilter = true;

  constructor(body: Uint8Array) {
    const open = openPush(body);
    this.#open = open.ok ? open.value : undefined;
  }

  /** The next question, or `undefined` where nothing more is to be asked. */
  next(): Question | undefined {
    this.#pending = undefined;
    if (this.#questions >= QUESTIONS_MAX) return undefined;
    const push = this.#read();
    if (push === undefined || push.refs.length + push.missing.length === 0) return undefined;
    if (push.missing.length === 0 && push.refs.every(({ how }) => how === "delete"))
      return undefined;
    const { format } = push.request;
    if (!this.#areRefsAsked) {
      this.#areRefsAsked = true;
      this.#questions += 1;
      this.#pending = {};
      return { body: refsRequest(format), plain: FLUSH };
    }
    const plan = STEPS.map((step) => this.#planOf(step, push)).find((one) => one !== undefined);
    if (plan === undefined) return undefined;
    this.#questions += 1;
    this.#pending = { plan };
    return { body: fetchRequest(plan, format), plain: plainRequest(plan, format) };
  }

  /** The answer's body to what was asked last; `undefined` where there was none. */
  tell(answer: Uint8Array | undefined): void {
    const pending = this.#pending;
    this.#pending = undefined;
    if (pending === undefined) return;
    const format = this.#open?.request.format ?? FORMATS.sha1;
    this.#judged = undefined;
    if (pending.plan === undefined) {
      const refs = answer === undefined ? undefined : readRefs(answer, format);
      this.#refs = refs?.ok === true ? refs.value : undefined;
      return;
    }
    const read =
      answer === undefined ? undefined : readFetched(answer, format, (id) => this.#objects.get(id));
    if (read?.ok === true) {
      for (const [id, object] of read.value) this.#objects.set(id, object);
    } else if (pending.plan.filter !== undefined && this.#canFilter) {
      this.#canFilter = false;
      this.#asked.clear();
    }
  }

  /** What was learnt, as JSON, as far as the judgement depends on it. */
  facts(): Facts {
    if (this.#open === undefined) return {};
    const judging = { known: this.#known(), protects: PROTECTED_BY_DEFAULT };
    const judged = judgePush(this.#open, judging);
    if (!judged.ok) return {};
    const push = judged.value;
    if (push.missing.length === 0) contentOf(push, { bytes: 0, sha256: "" }); // Looks at what is shown.
    return factsOf(this.#known(), push);
  }

  /** The same as a fact with its name; none where it is too much to go along. */
  named(): { readonly [GIT_FACT]?: Facts } {
    const facts = this.facts();
    return JSON.stringify(facts).length > FACT_CHARS_MAX ? {} : { [GIT_FACT]: facts };
  }

  #known(): Known {
    return { refs: this.#refs, objects: this.#objects };
  }

  /** As far as it can be judged now; the same until something more is known. */
  #read(): Push | undefined {
    if (this.#open === undefined) return undefined;
    const judging = {
      known: this.#known(),
      protects: PROTECTED_BY_DEFAULT,
      isHasty: true,
    } as const;
    this.#judged ??= judgePush(this.#open, judging);
    return this.#judged.ok ? this.#judged.value : undefined;
  }

  #planOf(step: Step, push: Push): FetchPlan | undefined {
    const plan = this.#wanted(step, push);
    if (plan === undefined) return undefined;
    // git leaves out what it also meets below another that it was asked for: then it is asked again by itself.
    const round = step === "bases" ? push.missing.length : 0;
    const keyOfRound = (id: ObjectId) => `${round} ${keyOf(plan, id)}`;
    const fresh = plan.wants.filter((id) => !this.#asked.has(keyOfRound(id))).slice(0, WANTS_MAX);
    if (fresh.length === 0) return undefined;
    for (const id of fresh) this.#asked.add(keyOfRound(id));
    return { ...plan, wants: fresh, filter: this.#canFilter ? plan.filter : undefined };
  }

  #wanted(step: Step, push: Push): FetchPlan | undefined {
    const { store, refs, commits, missing } = push;
    const shallow = (wants: readonly ObjectId[]): FetchPlan => ({
      wants: [...new Set(wants)].filter((id) => store.find(id) === undefined),
      haves: [],
      filter: "blob:none",
      isShallow: true,
    });
    if (step === "around") return missing.length === 0 ? undefined : shallow(aroundOf(push));
    // Exactly these: with `blob:none` git leaves out a blob that it was asked for.
    if (step === "bases")
      return missing.length === 0 ? undefined : { ...shallow(missing), filter: "tree:0" };
    if (missing.length > 0) return undefined;
    if (step === "trees") {
      const branches = refs.filter(({ how, kind }) => how !== "delete" && kind !== "tag");
      const olds = branches.flatMap(({ command }) =>
        command.kind === "update" ? command.old : [],
      );
      const tips = branches.flatMap(({ tip }) =>
        tip?.commit === undefined ? (tip?.last ?? []) : [],
      );
      const forks = branches.flatMap(({ fork, base, how }) => {
        if (how !== "create" || fork === undefined) return [];
        const head = this.#refs?.branches.get(this.#refs.head ?? "");
        return base === UNKNOWN_TREE && head !== undefined ? [fork, head] : [fork];
      });
      const parents = commits.flatMap(({ commit }) => commit.parents[0] ?? []);
      return shallow([...olds, ...tips, ...forks, ...parents]);
    }
    if (step === "between") {
      const forced = refs.find(({ how, kind }) => how === "force" && kind === "branch");
      if (forced === undefined) return undefined;
      const tip = forced.tip?.commit ?? forced.command.new;
      // The edges were asked for by themselves, so what is behind them is not here.
      const edges = [...new Set([tip, ...edgesOf(store, tip)])].filter(
        (id) => !store.pushed.has(id),
      );
      return { wants: edges, haves: [forced.command.old], filter: "tree:0", isShallow: false };
    }
    const changes = [...refs, ...commits].flatMap((one) => one.changes);
    const blobs = changes.flatMap(({ old, now }) =>
      [old, now].flatMap((side) => {
        const isBlob =
          side !== undefined && side.mode !== MODES.tree && side.mode !== MODES.gitlink;
        return isBlob ? side.id : [];
      }),
    );
    const plan = shallow(blobs);
    return { ...plan, wants: plan.wants.slice(0, OLD_BLOBS_MAX), filter: undefined };
  }
}

/** What deltas are most likely made upon: the old tips, and commits that the new ones come after. */
function aroundOf({ request, store }: Push): readonly ObjectId[] {
  const olds = request.commands.flatMap(({ old, kind }) => (kind === "update" ? old : []));
  const parents = [...store.pushed].flatMap(([id, { kind }]) =>
    kind === "commit" ? (store.commit(id)?.parents[0] ?? []) : [],
  );
  return [...olds, ...parents.filter((id) => !store.pushed.has(id)).slice(0, AROUND_MAX)];
}
const AROUND_MAX = 16;

function keyOf({ filter, isShallow, haves }: FetchPlan, id: ObjectId): string {
  return [isShallow, filter === "tree:0", ...haves, id].join(" ");
}
