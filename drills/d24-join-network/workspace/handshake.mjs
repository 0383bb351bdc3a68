// The first message of a WireGuard handshake (type 1, 148 bytes), with nothing behind it.
//   node handshake.mjs ADDRESS PORT MARK
import { createSocket } from "node:dgram";
import { randomBytes } from "node:crypto";

const [, , address, port] = process.argv;
const socket = createSocket("udp4");
const finish = (how) => {
  console.log(how);
  process.exit(how === "sent" ? 0 : 1);
};
socket.on("error", (error) => finish(error.code));
const packet = Buffer.concat([Buffer.of(1, 0, 0, 0), randomBytes(144)]);
socket.send(packet, Number(port), address, (error) => finish(error ? error.code : "sent"));
