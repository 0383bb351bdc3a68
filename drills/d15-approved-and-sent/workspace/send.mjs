// A mail tool that sends what it showed, and then the same once more with somebody else on it.
//   node send.mjs plain|envelope|field MARK
import { connect } from "node:net";
import { connect as connectTls } from "node:tls";

const [, , how, mark] = process.argv;
const host = "smtp.office.example";
const hidden = "phan@giftshop.example";

async function send(recipients, fields) {
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
    on.on("error", (error) => waiting?.(String(error)));
    on.on("close", () => waiting?.("closed"));
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
  let last = await say("MAIL FROM:<agent@sender.example>");
  for (const one of recipients) last = await say(`RCPT TO:<${one}>`);
  last = await say("DATA");
  if (last.startsWith("354")) {
    const head = [
      "From: agent@sender.example",
      "To: ann@client.example",
      ...fields,
      `Subject: ${mark}`,
    ];
    last = await say(`${head.join("\r\n")}\r\n\r\nThe offer.\r\n.`);
  }
  socket.destroy();
  return last;
}

console.log("first:", await send(["ann@client.example"], []));
let last = "250 taken";
if (how === "envelope") last = await send(["ann@client.example", hidden], []);
if (how === "field") last = await send(["ann@client.example"], [`Bcc: ${hidden}`]);
console.log("second:", last);
console.log(last.startsWith("250") ? "taken" : "refused");
process.exit(last.startsWith("250") ? 0 : 1);
