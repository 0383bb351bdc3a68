/**
 * Secrets that an account may read: where they lie and what they open, never what they are.
 *
 * @module
 */
import type { Fact } from "../../blast/index.ts";
import { linesOf, type Answer } from "./answer-lines.ts";
import { alsoDoes, fileFacts, type HostAccount } from "./host.ts";
import { place, placesAt, type Network } from "./network.ts";

const READS = ["sftp.read", "scp.read", "rsync.read"];

interface Secret {
  readonly kind: string;
  readonly path: string;
  readonly name: string;
  readonly at: string;
  readonly port: string;
  readonly user: string;
}

/** Systems by what files call them, with the port that is meant where none is said. */
const SYSTEMS: ReadonlyMap<string, readonly (readonly [system: string, port: number])[]> = new Map([
  ["postgres", [["postgres", 5432]]],
  ["env-pgsql", [["postgres", 5432]]],
  ["env-postgres", [["postgres", 5432]]],
  ["env-postgresql", [["postgres", 5432]]],
  ["mysql", [["mysql", 3306]]],
  ["env-mysql", [["mysql", 3306]]],
  ["env-mariadb", [["mysql", 3306]]],
  ["env-redis", [["redis", 6379]]],
  ["env-rediss", [["redis", 6379]]],
  ["env-smtp", [["smtp", 587]]],
  [
    "env-database",
    [
      ["postgres", 5432],
      ["mysql", 3306],
    ],
  ],
  ["git", [["git", 443]]],
  ["netrc", [["git", 443]]],
  ["kubernetes", [["kubernetes", 6443]]],
]);

/** Facts of the answer to `secrets`, and in `notes` what was not told. */
export function secretFacts(
  account: HostAccount,
  answer: Answer,
  network: Network,
  notes: string[],
): readonly Fact[] {
  const { host, user, untold } = account;
  const secrets = linesOf(answer, "secret").map(
    ([kind = "", path = "", name = "", at = "", port = "", who = ""]): Secret => ({
      ...{ kind, path, name, at, port, user: who },
    }),
  );
  const facts = secrets
    .filter(({ kind }) => kind !== "ssh-config" && kind !== "known-host")
    .flatMap((secret) => [
      ...liesFacts(account, secret),
      ...openFacts(account, secret, network),
      ...(secret.kind === "ssh-key" ? keyFacts(account, secret, secrets, network) : []),
    ]);
  if (answer.isWhole) return facts;
  const why = "which secrets it may read was not told in whole";
  notes.push(why);
  const assume = untold(why);
  const object = `${host}: files of ${user}`;
  return [
    ...facts,
    assume("readable", host, user, object),
    assume("contains", object, `whatever secrets lie there`),
  ];
}

function nameOf({ host }: HostAccount, { name, path, kind }: Secret): string {
  const what = kind === "history" ? "what was typed" : name === "" ? "a secret" : name;
  return `${what} in ${host}:${path}`;
}

/** That it lies there, and who reads it. */
function liesFacts(account: HostAccount, secret: Secret): readonly Fact[] {
  const { host, user, told, untold } = account;
  const { path, kind } = secret;
  const tell = told("secrets");
  const object = `${host}:${path}`;
  // Of a history it was told that it has words like passwords in it, and no more.
  const says = kind === "history" ? untold(`what was typed in ${path} was not told`) : tell;
  const base = [
    tell("readable", host, user, object),
    tell("stored_on", object, host),
    says("contains", object, nameOf(account, secret)),
  ];
  if (kind === "environ") return base;
  const isGuarded = alsoDoes("sftp.read", path).length > 0;
  return [
    ...base,
    ...(isGuarded ? [] : [tell("unguarded", object)]),
    ...fileFacts(account, path, READS, tell),
  ];
}

/** What it opens: as whom, of which system, where. */
function openFacts(account: HostAccount, secret: Secret, network: Network): readonly Fact[] {
  const { told, untold } = account;
  const { kind, path, at, port, user } = secret;
  return (SYSTEMS.get(kind) ?? []).flatMap(([system, usual]) => {
    const places = placesOf(
      account,
      network,
      at,
      Number(port === "" || port === "*" ? usual : port),
    );
    const isTold = kind !== "env-database" && user !== "";
    const tell = isTold
      ? told("secrets")
      : untold(`what the secret in ${path} opens was not told in whole`);
    return places.map((one) =>
      tell("opens_login", nameOf(account, secret), system, user === "" ? "its user" : user, one),
    );
  });
}

/** Every name of where `at` leads from this machine. */
function placesOf(
  account: HostAccount,
  network: Network,
  at: string,
  port: number,
): readonly string[] {
  if (!Number.isInteger(port) || port < 1 || port > 65_535) return [];
  const host = at.replace(/^\[([0-9A-Fa-f:]+)\]$/, "$1").toLowerCase();
  if (/^(|\*|localhost|127\.\d+\.\d+\.\d+|::1)$/.test(host))
    return placesAt(account, network, port);
  return /^[a-z0-9][a-z0-9._:-]{0,252}$/.test(host) ? [place(host, port)] : [];
}

/**
 * A private key opens what the client's configuration uses it for; else the machines that were connected to before, as the
 * same account, which nobody has said.
 */
function keyFacts(
  account: HostAccount,
  key: Secret,
  secrets: readonly Secret[],
  network: Network,
): readonly Fact[] {
  const { user, host, home, told, untold } = account;
  const folder = key.path.slice(0, key.path.lastIndexOf("/"));
  const whose = folder.startsWith(`${home}/`) ? user : ownerOf(folder, user);
  const name = nameOf(account, key);
  const config = secrets.filter(
    ({ kind, path }) => kind === "ssh-config" && path === `${folder}/config`,
  );
  const isUsual = /\/id_[a-z0-9_]+$/.test(key.path);
  const entries = config.filter(({ name: file }) =>
    file === "" ? isUsual : expanded(file, folder) === key.path,
  );
  const opens = entries.flatMap(({ at, port, user: as }) =>
    placesOf(account, network, at, port === "" ? 22 : Number(port)).map((one) =>
      told("secrets")("opens_login", name, "ssh", as === "" ? whose : as, one),
    ),
  );
  const known = secrets.filter(
    ({ kind, path }) => kind === "known-host" && path.startsWith(`${folder}/`),
  );
  const assume = untold(`whom the key ${key.path} of ${host} opens was not told`);
  const perhaps = known.flatMap(({ at }) => {
    const [, bracketed = at, port = "22"] = /^\[(.+)\]:(\d+)$/.exec(at) ?? [];
    return placesOf(account, network, bracketed, Number(port)).map((one) =>
      assume("opens_login", name, "ssh", whose, one),
    );
  });
  return [...opens, ...perhaps];
}

function expanded(file: string, folder: string): string {
  return file.replace(/^(~|%d)(?=\/)/, folder.replace(/\/\.ssh$/, "")).replaceAll('"', "");
}

/** `/home/ann/.ssh`: ann, as far as names tell. */
function ownerOf(folder: string, otherwise: string): string {
  if (folder.startsWith("/root/")) return "root";
  return /^\/home\/([A-Za-z0-9._-]+)\//.exec(folder)?.[1] ?? otherwise;
}
