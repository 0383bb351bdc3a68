/**
 * Where Cofferdam itself listens on this machine: no run gets there, whatever its task file says (INV-201).
 *
 * A port is closed at every address that leads to this machine: all of loopback, the unspecified address (which Linux
 * takes for loopback), IPv4 in IPv6's dress, and each address of an interface. A socket is known by its file, so that a
 * second name of it (a hard link) is the same.
 *
 * @module
 */
import { statSync } from "node:fs";
import { BlockList, isIPv6 } from "node:net";
import { networkInterfaces } from "node:os";
import type { DialPath } from "../policy/index.ts";
import type { Endpoint } from "../sys/index.ts";

export interface OwnPlaces {
  /** TCP ports of this machine. */
  readonly ports: readonly number[];
  /** Paths of Unix sockets. */
  readonly sockets: readonly string[];
}

const LOOPBACK = new BlockList();
LOOPBACK.addSubnet("127.0.0.0", 8, "ipv4");
LOOPBACK.addSubnet("0.0.0.0", 8, "ipv4");
LOOPBACK.addAddress("::1", "ipv6");
LOOPBACK.addAddress("::", "ipv6");

/** Reports whether a connection to `place` would come out at Cofferdam itself. */
export function isOwnPlace(place: Endpoint | DialPath, { ports, sockets }: OwnPlaces): boolean {
  if ("path" in place) return sockets.some((path) => isSameFile(path, place.path));
  return ports.includes(place.port) && leadsHere(place.address);
}

function leadsHere(address: string): boolean {
  // Node's list knows ::ffff:127.0.0.1 for the IPv4 address that it is.
  if (LOOPBACK.check(address, familyOf(address))) return true;
  const own = new BlockList();
  for (const list of Object.values(networkInterfaces())) {
    for (const one of list ?? []) own.addAddress(one.address, familyOf(one.address));
  }
  return own.check(address, familyOf(address));
}

function familyOf(address: string): "ipv4" | "ipv6" {
  return isIPv6(address) ? "ipv6" : "ipv4";
}

function isSameFile(one: string, other: string): boolean {
  if (one === other) return true;
  const [a, b] = [one, other].map((path) =>
    statSync(path, { bigint: true, throwIfNoEntry: false }),
  );
  return a !== undefined && b !== undefined && a.dev === b.dev && a.ino === b.ino;
}
