/**
 * An operation of a session protocol on a command line: what `explain` says of it, and what `catalog` says of the
 * protocol.
 *
 * @module
 */
import type { Json } from "../action/index.ts";
import { Fault } from "../base/index.ts";
import type { HeldOperation } from "../gateway/index.ts";
import { findProtocol, loadProtocols, type Protocol } from "../protocols/index.ts";

/** Where an explained operation would be performed. */
const HOST = "system.example";

/** What is asked on the command line. */
export interface OperationAsked {
  readonly system: string;
  /** As the protocol's `operationOf` takes it. */
  readonly text: string;
  readonly body: Buffer | undefined;
  readonly facts: Readonly<Record<string, Json>>;
  /** The grant's `with:`, in JSON. */
  readonly options: string | undefined;
}

/** The operation, and a task that grants all of its system where it is. @throws {Fault} `cli.usage` */
export async function readOperation({ system, text, body, facts, options = "{}" }: OperationAsked) {
  await loadProtocols([system]);
  const protocol = findProtocol(system);
  if (protocol === undefined) throw new Fault("cli.system", `nobody here speaks ${system}`);
  const [port] = protocol.ports;
  const sample = body === undefined ? protocol.sampleOf?.(text) : undefined;
  const operation = sample?.operation ?? protocol.operationOf(text);
  const whole = body === undefined ? {} : { body };
  const asked: HeldOperation = { host: HOST, port, operation, facts, ...whole };
  const held =
    sample === undefined
      ? asked
      : { ...asked, body: sample.body, facts: { ...sample.facts, ...facts } };
  const grant = {
    name: "explained",
    system,
    hosts: [HOST],
    with: { ...protocol.example, ...sample?.options, ...readOptions(options) },
    allow: [{ verbs: ["*"] }],
  };
  const task = { task: "explain", purpose: "what an operation would be", grants: [grant] };
  return { held, source: JSON.stringify(task) };
}

export function readOptions(text: string): object {
  try {
    const options: unknown = JSON.parse(text);
    if (typeof options === "object" && options !== null && !Array.isArray(options)) return options;
  } catch {
    // Said below.
  }
  throw new Fault("cli.usage", `--with takes an object in JSON, not ${text}`);
}

/** What `catalog` tells of a protocol, as data. */
export function protocolInfo({ system, title, docs, ports, verbs, object, unknown }: Protocol) {
  return {
    system,
    title,
    own: false,
    docs,
    ports,
    object: object.form,
    unknown,
    verbs: Object.entries(verbs).map(([verb, { effects, summary }]) => ({
      verb,
      effects,
      summary,
    })),
  };
}

/** One line of `catalog`. */
export function listedProtocol({ system, title, ports, verbs }: Protocol): string {
  const count = Object.keys(verbs).length;
  return `${system.padEnd(18)} ${title} (${count} verbs), no web service, port ${ports.join(", ")}\n`;
}

/** All that `catalog NAME` prints. */
export function detailedProtocol({
  system,
  title,
  docs,
  ports,
  verbs,
  object,
  unknown,
}: Protocol): string {
  return [
    `${system}: ${title}`,
    `  ports: ${ports.join(", ")}`,
    `  on: ${object.form}`,
    `  read from: ${docs.join(" ")}`,
    `  anything else counts as ${unknown.join(", ")} and is denied`,
    "",
    ...Object.entries(verbs).map(
      ([verb, { effects, summary }]) => `${verb}  [${effects.join(", ")}]  ${summary}`,
    ),
    "",
  ].join("\n");
}
