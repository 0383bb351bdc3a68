/**
 * What a host serves and what it is connected to, as Linux says it in /proc/net: nothing is scanned.
 *
 * @module
 */
import type { Fact } from "../../blast/index.ts";
import { placesOf } from "../../blast/index.ts";
import type { ProbePorts } from "../probe.ts";
import { linesOf, type Answer } from "./answer-lines.ts";
import type { HostAccount } from "./host.ts";

export interface Network {
  /** Addresses that are not this machine's alone are left out. */
  readonly addresses: readonly string[];
  readonly listeners: readonly Endpoint[];
  readonly peers: readonly Endpoint[];
}

interface Endpoint {
  readonly address: string;
  readonly port: number;
  readonly uid: string;
}

/** Reads the answer to `network`. */
export function readNetwork(answer: Answer): Network {
  const endpoints = (tag: string) =>
    linesOf(answer, tag).flatMap(([where = "", uid = ""]): readonly Endpoint[] => {
      const found = endpointOf(where);
      return found === undefined ? [] : [{ ...found, uid: /^\d+$/.test(uid) ? uid : "" }];
    });
  const addresses = linesOf(answer, "address")
    .map(([address = ""]) => address)
    .filter((address) => /^(\d{1,3}\.){3}\d{1,3}$/.test(address) && !isLocal(address));
  return { addresses, listeners: endpoints("listen"), peers: endpoints("open") };
}

/** `0100007F:1F90`, in the byte order of the machine: every one that is supported has the low byte first. */
export function endpointOf(
  text: string,
): { readonly address: string; readonly port: number } | undefined {
  const [, hex = "", port = ""] = /^((?:[0-9A-F]{8}){1,4}):([0-9A-F]{4})$/.exec(text) ?? [];
  if (hex.length !== 8 && hex.length !== 32) return undefined;
  const words = hex.match(/.{8}/g) ?? [];
  const bytes = Buffer.concat(words.map((word) => Buffer.from(word, "hex").reverse()));
  return { address: addressOf(bytes), port: Number.parseInt(port, 16) };
}

function addressOf(bytes: Buffer): string {
  const isMapped = bytes.length === 16 && bytes.subarray(0, 12).equals(MAPPED);
  if (bytes.length === 4 || isMapped) return [...bytes.subarray(-4)].join(".");
  const groups = Array.from({ length: 8 }, (_, at) => bytes.readUInt16BE(at * 2).toString(16));
  return new URL(`http://[${groups.join(":")}]/`).hostname.slice(1, -1);
}

const MAPPED = Buffer.from("00000000000000000000ffff", "hex");

function isLocal(address: string): boolean {
  return address.startsWith("127.") || address === "::1" || address === "172.17.0.1";
}

function isAny(address: string): boolean {
  return address === "0.0.0.0" || address === "::";
}

/** Where a service of `account`'s machine at `port` is found, by every name that is known of the machine. */
export function placesAt(
  { host, names }: HostAccount,
  network: Network,
  port: number,
): readonly string[] {
  return [...new Set([host, ...names.filter((one) => !isLocal(one)), ...network.addresses])].map(
    (one) => place(one, port),
  );
}

export function place(host: string, port: number): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}

/** Facts of the answer to `network`. */
export function networkFacts(
  account: HostAccount,
  network: Network,
  { grant, principal }: ProbePorts,
): readonly Fact[] {
  const { host, accounts, told } = account;
  const tell = told("network");
  const served = network.listeners.flatMap(({ address, port, uid }) => {
    const user = accounts.get(uid) ?? uid;
    const places = isAny(address)
      ? placesAt(account, network, port)
      : [place(isLocal(address) ? host : address, port)];
    return places.flatMap((one) => [tell("serves", host, user, one), tell("reaches", host, one)]);
  });
  const peers = network.peers
    .filter(({ address }) => !isLocal(address) && !isAny(address))
    .map(({ address, port }) => tell("reaches", host, place(address, port)));
  const ours = [...new Set([...placesOf(grant), ...placesAt(account, network, account.port)])];
  return [
    ...served,
    ...peers,
    ...ours.flatMap((one) => [tell("at", principal, one), tell("serves", host, "root", one)]),
  ];
}
