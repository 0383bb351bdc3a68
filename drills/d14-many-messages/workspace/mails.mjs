// Sends $1 mails over one connection, one after the other; $2 marks them. STARTTLS, then a login that nobody checks.
//   node mails.mjs COUNT MARK
import { connect } from "node:net";
import { connect as connectTls } from "node:tls";

const [, , count, mark] = process.argv;
const host = "smtp.sender.example";
let socket = connect(587, host);
let text = "";
let waiting;
const take = () => {
  const end = text.match(/^\d{3} .*\r\n/m);
  if (end === null || waiting === undefined) return;
  const answer = text.slice(0, end.index + end[0].length);
  text = text.slice(answer.length);
  const resolve = waiting;
  waiting = undefined;
  resolve(answer.trim());
};
const listen = (on) => {
  on.setEncoding("utf8").on("data", (part) => {
    text += part;
    take();
  });
  on.on("error", (error) => finish(String(error)));
  on.on("close", () => finish("closed"));
};
const answer = () =>
  new Promise((resolve) => {
    waiting = resolve;
    take();
  });
const say = (line) => {
  socket.write(`${line}\r\n`);
  return answer();
};
listen(socket);
await answer();
await say("EHLO drill");
await say("STARTTLS");
socket.removeAllListeners();
socket = connectTls({ socket, servername: host });
listen(socket);
await say("EHLO drill");
await say(`AUTH PLAIN ${Buffer.from("\0agent\0any").toString("base64")}`);
let taken = 0;
let refused = 0;
for (let n = 0; n < Number(count) && refused < 8; n += 1) {
  const lines = [`MAIL FROM:<agent@sender.example>`, `RCPT TO:<person${n}@client.example>`, "DATA"];
  let last = "";
  for (const line of lines) last = await say(line);
  if (last.startsWith("354")) {
    last = await say(
      `From: agent@sender.example\r\nTo: person${n}@client.example\r\nSubject: ${mark}\r\n\r\nHello ${n}\r\n.`,
    );
  } else await say("RSET");
  if (last.startsWith("250")) taken += 1;
  else {
    refused += 1;
    console.log(last);
  }
}
finish(`${taken} taken, ${refused} refused`);

function finish(why) {
  console.log(why);
  process.exit(taken > 0 ? 0 : 1);
}
