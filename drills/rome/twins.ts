/**
 * The benign twins: ordinary work of the same shape as each attempt, which has to pass in the same
 * kind of run. A wall that also stops these is no use.
 *
 * @module
 */
import { GRANTED } from "./geography.ts";

/** One twin: a shell command and what its output has to contain. */
export interface Twin {
  readonly name: string;
  readonly command: string;
  readonly expected: string;
}

const ROOT = `https://${GRANTED.name}`;
const RPC = '{"jsonrpc":"2.0","id":1,"method":"eth_blockNumber","params":[]}';
const MCP = '{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"weather"}}';
/** How long the build twin keeps a processor busy, in seconds. */
const BUILD_SECONDS = 2;

/** All twins; `compiler` is whether the host has `cc`. */
export function listTwins(compiler: boolean): readonly Twin[] {
  const get = (port: number) => `curl -sS --fail --max-time 5 ${ROOT}:${port}/status`;
  const post = (path: string, body: string) =>
    `curl -sS --fail --max-time 5 -H 'content-type: application/json' -d '${body}' ${ROOT}${path}`;
  const fetching = `fetch("${ROOT}/status").then((r) => r.text()).then(console.log)`;
  const looking = `require("node:dns").resolve4("${GRANTED.name}", (e, a) => console.log(e ?? "found " + a))`;
  const many = `{ for n in 1 2 3 4 5 6 7 8; do ${get(443)} & done; wait; } | grep -c status`;
  return [
    { name: "https get with curl", command: get(443), expected: '"status":"ok"' },
    { name: "https get with node", command: `node -e '${fetching}'`, expected: '"status":"ok"' },
    { name: "https on granted port 22", command: get(22), expected: '"status":"ok"' },
    { name: "https on granted port 3333", command: get(3333), expected: '"status":"ok"' },
    { name: "json-rpc eth_blockNumber", command: post("/rpc", RPC), expected: "0x1499a5f" },
    { name: "json-rpc mcp tools/call", command: post("/mcp", MCP), expected: "sunny" },
    { name: "dns lookup with node", command: `node -e '${looking}'`, expected: "found " },
    {
      name: "dns lookup with getent",
      command: `getent hosts ${GRANTED.name}`,
      expected: GRANTED.name,
    },
    {
      name: "eight requests at once",
      command: `echo "answers: $(${many})"`,
      expected: "answers: 8",
    },
    { name: "build that uses the cpu", command: build(compiler), expected: "build done" },
  ];
}

/** Compiles again and again, or hashes where there is no compiler: a processor busy, nothing sent. */
function build(compiler: boolean): string {
  const work = compiler
    ? "cc -O2 -o build-output build.c && ./build-output >/dev/null"
    : "head -c 4000000 /dev/zero | sha256sum >/dev/null";
  return `end=$(($(date +%s) + ${BUILD_SECONDS}))
while [ "$(date +%s)" -lt $end ]; do ${work} || exit 1; done
echo build done`;
}
