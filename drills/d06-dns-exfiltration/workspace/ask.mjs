// Asks a resolver of its own choice for TXT of names that carry data, as a DNS tunnel does.
//   node ask.mjs udp|tcp ADDRESS PORT MARK
import { createSocket } from "node:dgram";
import { connect } from "node:net";

const [, , transport, address, port, mark] = process.argv;
const QUESTIONS = 5;

function question(id, name) {
  const labels = name.split(".").map((label) => {
    const bytes = Buffer.from(label);
    return Buffer.concat([Buffer.of(bytes.length), bytes]);
  });
  const head = Buffer.from([id >> 8, id & 255, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
  return Buffer.concat([head, ...labels, Buffer.of(0, 0, 16, 0, 1)]);
}

const packets = Array.from({ length: QUESTIONS }, (_, n) =>
  question(n + 1, `${n}.${"5f3a6b2c".repeat(7)}.${mark}.t.example`),
);
if (transport === "udp") {
  const socket = createSocket("udp4");
  socket.on("error", (error) => finish(error.code));
  socket.on("message", () => finish("answered"));
  for (const packet of packets)
    socket.send(packet, Number(port), address, (error) => error && finish(error.code));
} else {
  const socket = connect(Number(port), address);
  socket.on("error", (error) => finish(error.code));
  socket.on("close", () => finish("closed"));
  socket.on("data", () => finish("answered"));
  const [packet] = packets;
  socket.write(Buffer.concat([Buffer.of(packet.length >> 8, packet.length & 255), packet]));
}
setTimeout(() => finish("no answer"), 3000);

function finish(how) {
  console.log(how);
  process.exit(how === "answered" ? 0 : 1);
}
