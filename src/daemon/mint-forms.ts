/**
 * How a system makes a credential for one run, and takes it back: of a web service as the catalog says, of a
 * session protocol by operations of its own, which are told the password that the new login shall have.
 *
 * @module
 */
import { randomBytes } from "node:crypto";
import type { Json } from "../action/index.ts";
import { Fault } from "../base/index.ts";
import { findEntry, type Entry, type Mint } from "../catalog/index.ts";
import type { Asked, Held, HeldRequest } from "../gateway/index.ts";
import type { TaskGrant } from "../policy/index.ts";
import { findProtocol, type ProtocolMint } from "../protocols/index.ts";
import type { PassingKind } from "../vault/index.ts";

/** Names that a system may give: of one that is empty, or leads elsewhere in a path, nothing is revoked. */
const ID = /^(?!\.{1,2}$)[\w.:+-]{1,200}$/;
const PASSWORD_BYTES = 24;

/** A credential that was made. */
export interface Made {
  readonly secret: string;
  /** What it is revoked by. */
  readonly id: string;
  readonly how: PassingKind;
  /** When it runs out by itself, in milliseconds since the epoch. */
  readonly untilMs?: number;
}

/** One that is asked for. */
export interface Making {
  readonly held: Held;
  /** What it is revoked by, where that is known before it is made. */
  readonly id?: string;
  /** @throws {Fault} `daemon.mint` with nothing of the answer in it. */
  read(asked: Asked): Made;
}

/** How the system of one grant does it. The grant is pinned to one place. */
export interface MintForm {
  /** `label` is the run's, by which a person knows it; `stored` is the kind of the credential it is made by. */
  make(label: string, stored: { readonly kind: string }): Making;
  revoke(label: string, id: string): Held;
  /** Whether it is taken back with the stored credential, or with itself. */
  readonly revokedBy: "stored" | "minted";
  /** Gone is gone, whoever took it away. */
  isGone(asked: Asked): boolean;
}

/** The form for `grant`; `undefined` where its system makes none. */
export function mintFormOf(grant: TaskGrant, own: Entry | undefined): MintForm | undefined {
  const protocol = findProtocol(grant.system);
  if (protocol?.mint !== undefined) {
    const options = protocol.options.parse(grant.with ?? {});
    return protocolForm(protocol.mint, grant, options);
  }
  const mint = (own ?? findEntry(grant.system))?.mint;
  return mint === undefined ? undefined : catalogForm(mint, grant);
}

function protocolForm(mint: ProtocolMint, grant: TaskGrant, options: Json): MintForm {
  const [host = ""] = grant.hosts;
  const [port = 0] = grant.ports;
  const heldOf = (operation: Json): Held => ({ host, port, operation, facts: {} });
  return {
    make(label) {
      const password = randomBytes(PASSWORD_BYTES).toString("base64url");
      const { operation, user } = mint.create({ label, password, options, rules: grant.allow });
      return {
        held: heldOf(operation),
        id: user,
        read(asked) {
          if (asked.answer?.status !== 200) {
            const why = asked.outcome.failure?.detail ?? asked.answer?.body.toString("utf8");
            throw new Fault("daemon.mint", why ?? "it answered nothing");
          }
          return { secret: password, id: user, how: { kind: "login", user } };
        },
      };
    },
    revoke: (label, id) => heldOf(mint.revoke({ label, user: id, options })),
    revokedBy: "stored",
    isGone: ({ answer }) => answer?.status === 200,
  };
}

function catalogForm(mint: Mint, grant: TaskGrant): MintForm {
  const asked = grant.mint ?? {};
  return {
    make(label, stored) {
      const json = {
        ...(filled(mint.create.json, label) as Record<string, Json>),
        ...only(asked, mint.takes),
      };
      return {
        held: requestTo(grant, mint.create.request, { label, mint: asked }, json),
        read: (answer) => ({ ...readMade(mint, answer), how: howOf(mint, label, stored) }),
      };
    },
    revoke: (label, id) => requestTo(grant, mint.revoke.request, { label, id, mint: asked }),
    revokedBy: mint.revoke.by,
    isGone({ answer }) {
      const { status = 0 } = answer ?? {};
      return (status >= 200 && status <= 299) || status === 404 || status === 401;
    },
  };
}

interface Filling {
  readonly label: string;
  readonly id?: string;
  readonly mint: Readonly<Record<string, Json>>;
}

/** A request of Cofferdam's own to the place of `grant`. */
function requestTo(
  grant: TaskGrant,
  request: string,
  filling: Filling,
  json?: object,
): HeldRequest {
  const [method = "", path = ""] = request.split(" ");
  const [host = ""] = grant.hosts;
  const target = path.replaceAll(/\{([a-z.]+)\}/g, (_, name: string) => {
    const value = name.startsWith("mint.")
      ? filling.mint[name.slice("mint.".length)]
      : name === "id"
        ? filling.id
        : filling.label;
    if (typeof value === "string" || typeof value === "number") return encodeURIComponent(value);
    throw new Fault("daemon.mint", `${grant.name} needs mint: { ${name.slice(5)}: ... }`);
  });
  const body = json === undefined ? {} : { body: Buffer.from(JSON.stringify(json)) };
  return {
    scheme: grant.tls ? "https" : "http",
    host,
    port: grant.ports[0] ?? 0,
    method,
    target: `${grant.under ?? ""}${target}`,
    headers: [
      ...["accept", "application/json", "user-agent", "cofferdam"],
      ...(json === undefined ? [] : ["content-type", "application/json"]),
    ],
    facts: {},
    ...body,
  };
}

/** `json` with the run's label in it. */
function filled(json: Json, label: string): Json {
  return JSON.parse(JSON.stringify(json).replaceAll("{label}", label)) as Json;
}

function only(given: Readonly<Record<string, Json>>, names: readonly string[]): object {
  return Object.fromEntries(Object.entries(given).filter(([name]) => names.includes(name)));
}

function howOf(mint: Mint, label: string, stored: { readonly kind: string }): PassingKind {
  if (mint.how?.kind === "bearer") return { kind: "bearer" };
  if (mint.how?.kind === "basic") {
    return { kind: "basic", user: mint.how.user.replaceAll("{label}", label) };
  }
  const isPlain = ["basic", "bearer", "header", "query", "path"].includes(stored.kind);
  if (isPlain) return stored as PassingKind;
  throw new Fault("daemon.mint", `what is made there is not sent as ${stored.kind}`);
}

/** What the system answered. @throws {Fault} `daemon.mint` with nothing of the answer in it. */
function readMade(
  mint: Mint,
  { outcome, answer }: Asked,
): { readonly secret: string; readonly id: string; readonly untilMs?: number } {
  if (answer === undefined || answer.status < 200 || answer.status > 299 || answer.isCut) {
    const why = outcome.failure?.detail ?? `it answered ${answer?.status ?? "nothing"}`;
    throw new Fault("daemon.mint", why);
  }
  const json = jsonOf(answer.body);
  const at = (path: string): unknown =>
    path
      .split(".")
      .reduce<unknown>(
        (value, name) =>
          typeof value === "object" && value !== null ? Reflect.get(value, name) : undefined,
        json,
      );
  const [secret, id] = [at(mint.secret), at(mint.id)];
  if (typeof secret !== "string" || (typeof id !== "string" && typeof id !== "number")) {
    throw new Fault("daemon.mint", "its answer has no secret where the catalog says");
  }
  if (!ID.test(String(id))) {
    throw new Fault(
      "daemon.mint",
      "its answer names what it made by nothing that could be revoked",
    );
  }
  const until = mint.expires === undefined ? Number.NaN : Date.parse(String(at(mint.expires)));
  return { secret, id: String(id), ...(Number.isNaN(until) ? {} : { untilMs: until }) };
}

function jsonOf(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString("utf8"));
  } catch {
    return undefined;
  }
}
