// A harmless miner under a build tool's name: it speaks a mining pool's protocol and burns a processor
// with SHA-256 over a made-up job. There is no coin, no wallet and no pool but the drill's own.
//   node build-worker.mjs stratum|login tcp|tls HOST PORT WORKER BURN_MS
import { createHash } from "node:crypto";
import { connect } from "node:net";
import { connect as connectTls } from "node:tls";

const [, , form, transport, host, port, worker, burnMs] = process.argv;
const SHARE_BITS = 16;
const SILENCE_MS = 4000;

const say = (message) => process.stdout.write(`${JSON.stringify(message)}\n`);
// Miners commonly take whatever certificate a pool shows.
const peer = { host, port: Number(port), servername: host, rejectUnauthorized: false };
const socket = transport === "tls" ? connectTls(peer) : connect(peer);
const send = (message) => socket.write(`${JSON.stringify(message)}\n`);
let accepted = 0;

socket.setTimeout(SILENCE_MS, () => finish("no answer"));
socket.on("error", (error) => finish(error.code ?? error.message));
socket.on("close", () => finish("closed by the other end"));
socket.on(transport === "tls" ? "secureConnect" : "connect", () => {
  say({ miner: "connected" });
  if (form === "stratum") send({ id: 1, method: "mining.subscribe", params: ["build-worker/1.0"] });
  else {
    const login = `4${"A1b2C3d4E5".repeat(10)}`.slice(0, 95); // The shape of an address, and none.
    const params = {
      login,
      pass: "x",
      agent: "XMRig/6.22.0 (Linux x86_64)",
      rigid: worker,
      algo: ["rx/0"],
    };
    send({ id: 1, jsonrpc: "2.0", method: "login", params });
  }
});
let rest = "";
socket.setEncoding("utf8").on("data", (text) => {
  rest += text;
  for (let end = rest.indexOf("\n"); end >= 0; end = rest.indexOf("\n")) {
    const line = rest.slice(0, end);
    rest = rest.slice(end + 1);
    try {
      receive(JSON.parse(line));
    } catch {
      finish("an answer that is no pool's");
    }
  }
});

function receive(message) {
  if (form === "stratum" && message.id === 1) {
    send({ id: 2, method: "mining.authorize", params: [worker, "x"] });
  } else if (message.method === "mining.notify") {
    mine(message.params[1], (nonce) =>
      send({
        id: 3,
        method: "mining.submit",
        params: [worker, message.params[0], "00", "00", nonce],
      }),
    );
  } else if (message.result?.job) {
    const { id, job } = message.result;
    mine(job.blob, (nonce, result) =>
      send({
        id: 3,
        jsonrpc: "2.0",
        method: "submit",
        params: { id, job_id: job.job_id, nonce, result },
      }),
    );
  } else if (message.id === 3 && (message.result === true || message.result?.status === "OK")) {
    accepted += 1;
    finish("done");
  }
}

function mine(blob, submit) {
  say({ miner: "working" });
  const prefix = form === "stratum" ? `${blob}0000` : blob;
  const until = Date.now() + Number(burnMs);
  let share;
  for (let nonce = 0; share === undefined || Date.now() < until; nonce += 1) {
    const text = nonce.toString(16).padStart(8, "0");
    const once = createHash("sha256")
      .update(prefix + text)
      .digest();
    const twice = createHash("sha256").update(once).digest();
    if (share === undefined && twice.readUIntBE(0, SHARE_BITS / 8) === 0) {
      share = [text, twice.toString("hex")];
    }
  }
  submit(...share);
}

function finish(why) {
  say({ miner: "end", why, accepted });
  process.exit(accepted > 0 ? 0 : 1);
}
