/**
 * What waits in tests of the console: requests and operations of each kind, described by the very code that describes
 * those of runs, and put into a home's store before its daemon opens it.
 *
 * @module
 */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { Action } from "../../src/action/index.ts";
import { Approvals, type ApprovalLimits } from "../../src/approval/index.ts";
import { systemClock } from "../../src/base/index.ts";
import { judgeCase, loadCorpus, readCorpus, type CorpusCase } from "../corpus/corpus.ts";
import type { TestHome } from "../support/home.ts";

type Case = Omit<CorpusCase, "name" | "expect">;

export interface Waiting {
  readonly system: string;
  readonly it: Case;
  readonly limits?: Partial<ApprovalLimits>;
  readonly more?: Partial<Action>;
}

const JSON_TYPE = { "content-type": "application/json" };
const LIMITS: ApprovalLimits = { expiresMs: 3_600_000, undoMs: 0, needsTwo: false };

/** A request with a JSON body. */
export function posting(system: string, request: string, body: unknown): Waiting {
  return { system, it: { request, headers: JSON_TYPE, body: JSON.stringify(body) } };
}

export function post(content: string, more: object = {}): Waiting {
  const body = { title: "Winter sale", status: "publish", content, ...more };
  return posting("wordpress", "POST /wp-json/wp/v2/posts", body);
}

/** Asks for all of them in `home`, whose daemon must not run yet; gives their ids, in order. */
export async function ask(home: TestHome, all: readonly Waiting[]): Promise<readonly string[]> {
  mkdirSync(home.state, { recursive: true, mode: 0o700 });
  const approvals = new Approvals({
    file: join(home.state, "approvals.db"),
    clock: systemClock,
    record: async () => {},
  });
  try {
    const ids: string[] = [];
    for (const one of all) ids.push(await askOne(approvals, one, ids.length));
    return ids;
  } finally {
    approvals.close();
  }
}

async function askOne(approvals: Approvals, one: Waiting, place: number): Promise<string> {
  const { system, it, limits = {}, more = {} } = one;
  await loadCorpus(system);
  const described = judgeCase(system, { ...it, name: "waits", expect: { verdict: "confirm" } });
  const run = "r-0000000000001";
  const action = { ...described.action, id: `a-${place}`, run, system, ...more };
  const { body, bodyBase64 } = it;
  const bytes =
    bodyBase64 === undefined ? Buffer.from(body ?? "") : Buffer.from(bodyBase64, "base64");
  const asked = await approvals.request({
    ...{ run, task: "blog-work", action, pin: null },
    spool: {
      request: it.operation === undefined ? { method: "POST" } : { operation: {} },
      body: bytes,
    },
    limits: { ...LIMITS, ...limits },
  });
  return asked.id;
}

const MAIL = [
  "From: Ann <me@sender.example>",
  "To: Bob <bob@client.example>, carl@sender.example",
  "Subject: Your invoice",
  'Content-Type: multipart/mixed; boundary="b"',
  "",
  "--b",
  'Content-Type: multipart/alternative; boundary="c"',
  "",
  "--c",
  "Content-Type: text/plain; charset=utf-8",
  "",
  "Dear Bob, the invoice is attached.",
  "--c",
  "Content-Type: text/html; charset=utf-8",
  "",
  '<p>Dear <b>Bob</b>, pay at <a href="https://evil.example/pay">bank.example</a>.</p><p style="display:none">ignore this</p>',
  "--c--",
  "--b",
  'Content-Type: application/pdf; name="invoice.pdf"',
  'Content-Disposition: attachment; filename="invoice.pdf"',
  "Content-Transfer-Encoding: base64",
  "",
  Buffer.from("%PDF-1.4 the invoice").toString("base64"),
  "--b--",
  "",
].join("\r\n");

const NODES = [
  ["Every hour", "n8n-nodes-base.scheduleTrigger", {}],
  ["Read orders", "n8n-nodes-base.postgres", { query: "select * from orders" }],
  ["Shape", "n8n-nodes-base.code", { jsCode: "return items.map(x => x)" }],
  ["Tell them", "n8n-nodes-base.httpRequest", { url: "https://hooks.example/in", method: "POST" }],
  ["Keep", "n8n-nodes-base.set", {}],
] as const;
const line = (node: string) => ({ main: [[{ node, type: "main", index: 0 }]] });

/** One of each kind of look. */
export const KINDS: Readonly<Record<string, Waiting>> = {
  post: post(
    '<h2>Everything must go</h2><p>From <strong>Friday</strong>, see <a href="https://shop.example/sale">the sale</a>.</p><script>alert(1)</script><p hidden>buy now buy now</p>',
  ),
  message: posting("slack", "POST /api/chat.postMessage", {
    channel: "C024BE91L",
    text: "Deploy is done :tada:",
  }),
  mail: {
    system: "smtp",
    it: {
      operation: "me@sender.example -> bob@client.example, carl@sender.example, eve@rival.example",
      body: MAIL,
    },
  },
  sql: {
    system: "postgres",
    it: {
      operation: "UPDATE public.orders SET state = 'paid' WHERE id IN (7, 9)",
      facts: {
        current: { rows: 12 },
        preview: {
          plan: ["Update on orders  (cost=0.15..8.17 rows=2)"],
          before: [
            { id: "7", customer: "Ann", state: "open" },
            { id: "9", customer: "Bob", state: "open" },
          ],
          after: [
            { id: "7", customer: "Ann", state: "paid" },
            { id: "9", customer: "Bob", state: "paid" },
          ],
        },
      },
    },
  },
  command: { system: "ssh", it: { operation: "ls /srv/cache | sort && rm -r /srv/cache" } },
  file: {
    system: "ssh",
    it: {
      operation: "sftp write /srv/www/index.html",
      body: "<h1>new</h1>\n",
      facts: {
        before: { type: "file", bytes: 13, mode: "0644" },
        preview: "- <h1>old</h1>\n+ <h1>new</h1>",
      },
    },
  },
  workflow: posting("n8n", "POST /api/v1/workflows", {
    name: "Orders to hooks",
    nodes: NODES.map(([name, type, parameters], at) => ({
      ...{ name, type, parameters, typeVersion: 1 },
      position: [at * 200, 100],
    })),
    connections: {
      "Every hour": line("Read orders"),
      "Read orders": line("Shape"),
      Shape: {
        main: [
          [
            { node: "Tell them", type: "main", index: 0 },
            { node: "Keep", type: "main", index: 0 },
          ],
        ],
      },
    },
    settings: {},
  }),
  payment: posting("paypal", "POST /v1/payments/payouts", {
    sender_batch_header: { sender_batch_id: "1" },
    items: [
      {
        recipient_type: "EMAIL",
        receiver: "ann@client.example",
        amount: { value: "80.00", currency: "EUR" },
        note: "Thank you",
      },
    ],
  }),
  call: { system: "mcp", it: { operation: 'tools/call deploy {"service": "shop", "to": "live"}' } },
  raw: {
    system: "wordpress",
    it: {
      request: "POST /wp-json/wp/v2/media",
      headers: {
        "content-type": "image/png",
        "content-disposition": 'attachment; filename="a.png"',
      },
      bodyBase64: Buffer.from([0x89, 0x50, 0x4e, 0x47, 0, 1, 2, 255]).toString("base64"),
    },
  },
  push: pushCase(),
};

function pushCase(): Waiting {
  const [it] = readCorpus(join(import.meta.dirname, "..", "corpus", "git"));
  if (it === undefined) throw new Error("the corpus of git is empty");
  const { name: _name, expect: _expect, ...rest } = it;
  return { system: "git", it: rest };
}
