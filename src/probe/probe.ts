/**
 * What every probe is: read-only questions to one system, with one credential, and what follows from the answers, as facts
 * for src/blast (the vocabulary is in rules/*.rules). A probe says what it could not ask by assuming the worst of it.
 *
 * @module
 */
import type { Json } from "../action/index.ts";
import type { Fact } from "../blast/index.ts";
import type { TaskGrant } from "../policy/index.ts";

/** One question. It must only read: whatever its system's description says does more is not sent. */
export type Question =
  | {
      /** Of a system of the catalog: below where the grant says that it lives. */
      readonly request: `GET /${string}` | `POST /${string}`;
      readonly json?: Json;
      /** What this system wants said beside it: a version. */
      readonly headers?: Readonly<Record<string, string>>;
    }
  | {
      /** Of a session protocol, in its own form (src/protocols). */
      readonly operation: Json;
      /**
       * A fixed text of the probe that its protocol cannot see to be harmless: `sudo -n -l`. Nothing that a system
       * answered may stand in it.
       */
      readonly isFixed?: true;
    };

/** What came back. */
export interface Reply {
  /** 200 where a session's operation was done; HTTP's own else. 0 where nothing came. */
  readonly status: number;
  readonly body: Buffer;
  /** Of a database that did it: its rows, values as texts. */
  readonly rows?: readonly (readonly (string | null)[])[];
  /** There was more than is kept. */
  readonly isCut: boolean;
  /** Of HTTP: names and values one after another, as they came. */
  readonly headers?: readonly string[];
  /** Why nothing came. */
  readonly failure?: string;
}

export interface ProbePorts {
  readonly grant: TaskGrant;
  /** Who is asked about: {@link principalOf} of the grant. */
  readonly principal: string;
  /** When, RFC 3339: facts say so. */
  readonly at: string;
  /** Asks one; never rejects for what the system answers. At most {@link QUESTIONS_MAX}. */
  ask(question: Question): Promise<Reply>;
}

/** What a probe found. */
export interface Probed {
  readonly facts: readonly Fact[];
  /** What could not be asked or understood, in plain words; each has its assumed facts in `facts`. */
  readonly notes: readonly string[];
}

export interface Probe {
  /** The grant's `system:`. */
  readonly system: string;
  /** What it asks, for people. */
  readonly asks: readonly string[];
  /** The grant's `with:` as its questions need it: what binds the run may be what they are about. */
  withOf?(given: TaskGrant["with"]): TaskGrant["with"];
  probe(ports: ProbePorts): Promise<Probed>;
}

/** Of one probe. */
export const QUESTIONS_MAX = 400;

/** What stands in a path where the system has its credential there: the credential comes in its place. */
export const CREDENTIAL_MARK = "credential-of-this-probe";
