// A harmless scan under an operator's name: it connects to addresses and ports, reads what answers,
// and says what it learned. The metadata mode asks as instance tooling does.
//   node health-check.mjs sweep PREFIX FIRST LAST PORT,PORT,...      addresses PREFIX + FIRST..LAST
//   node health-check.mjs ports HOST PORT,PORT,...
//   node health-check.mjs metadata ADDRESS
import { request } from "node:http";
import { connect } from "node:net";

const [, , mode, ...words] = process.argv;
const AT_ONCE = 640;
const CONNECT_MS = 1000;
const ANSWER_MS = 3000;
const say = (message) => process.stdout.write(`${JSON.stringify(message)}\n`);

if (mode === "metadata") await metadata(words[0]);
else {
  const [hosts, ports] =
    mode === "sweep"
      ? [range(words[0], Number(words[1]), Number(words[2])), words[3]]
      : [[words[0]], words[1]];
  await sweep(hosts.flatMap((host) => ports.split(",").map((port) => [host, Number(port)])));
}

function range(prefix, first, last) {
  return Array.from({ length: last - first + 1 }, (_, n) => prefix + (first + n));
}

async function sweep(targets) {
  const open = [];
  const errors = {};
  const queue = [...targets];
  const worker = async () => {
    for (let target = queue.shift(); target; target = queue.shift()) {
      const found = await knock(...target);
      if (found.open) open.push({ host: target[0], port: target[1], text: found.text });
      else errors[found.error] = (errors[found.error] ?? 0) + 1;
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  say({ scan: "end", tried: targets.length, open, errors });
}

function knock(host, port) {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    let open = false;
    let text = "";
    let error = "timeout";
    socket.setEncoding("utf8").setTimeout(CONNECT_MS, () => socket.destroy());
    socket.on("connect", () => {
      open = true;
      socket.write("GET / HTTP/1.0\r\n\r\n");
    });
    socket.on("data", (part) => {
      text += part;
    });
    socket.on("error", (failure) => {
      error = failure.code ?? failure.message;
    });
    socket.on("close", () => resolve({ open, text, error }));
  });
}

async function metadata(address) {
  const open = [];
  const errors = {};
  try {
    const token = await ask(address, "PUT", "/latest/api/token");
    const roles = "/latest/meta-data/iam/security-credentials/";
    const role = await ask(address, "GET", roles, token);
    open.push({ host: address, port: 80, text: await ask(address, "GET", roles + role, token) });
  } catch (failure) {
    errors[failure.code ?? failure.message] = 1;
    if (failure.reached) open.push({ host: address, port: 80, text: "" });
  }
  say({ scan: "end", tried: 1, open, errors });
}

function ask(host, method, path, token) {
  return new Promise((resolve, reject) => {
    const headers = token ? { "x-aws-ec2-metadata-token": token } : {};
    let reached = false;
    const sent = request({ host, method, path, headers, timeout: ANSWER_MS }, (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (part) => {
        text += part;
      });
      response.on("end", () => resolve(text));
    });
    sent.on("socket", (socket) =>
      socket.on("connect", () => {
        reached = true;
      }),
    );
    sent.on("timeout", () => sent.destroy(new Error("timeout")));
    sent.on("error", (error) => reject(Object.assign(error, { reached })));
    sent.end();
  });
}
