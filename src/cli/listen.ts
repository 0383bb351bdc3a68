/**
 * Where a command listens: `ADDRESS:PORT`, an address and no name, since a name may lead elsewhere tomorrow.
 *
 * @module
 */
import { isIP, isIPv6 } from "node:net";
import { Fault } from "../base/index.ts";

export interface ListenAddress {
  readonly address: string;
  readonly port: number;
  readonly isLoopback: boolean;
  readonly text: string;
}

/** @throws {Fault} `cli.listen` for every other form. */
export function listenAddress(text: string): ListenAddress {
  const [, bracketed, plain, digits = ""] =
    /^(?:\[([\da-f:]+)\]|([\d.]+)):(\d{1,5})$/i.exec(text) ?? [];
  const address = bracketed ?? plain ?? "";
  const port = Number(digits);
  if (isIP(address) === 0 || (bracketed !== undefined && !isIPv6(address)) || port > 65_535) {
    throw new Fault("cli.listen", `${JSON.stringify(text)} is not an address and a port`, {
      hint: "write 127.0.0.1:9464 or [::1]:9464",
    });
  }
  const isLoopback = address === "::1" || address.startsWith("127.");
  return { address, port, isLoopback, text };
}
