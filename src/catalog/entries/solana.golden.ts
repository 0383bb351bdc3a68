/** Golden requests of Solana's JSON-RPC; the transactions are those of the sources. */
import type { Json } from "../../action/index.ts";
import { goldenRows, type Golden } from "../golden.ts";

const DOCS = "github.com/solana-foundation/solana-com apps/docs/content/docs/en/rpc/http";
const METHODS = "github.com/anza-xyz/agave rpc-client-types/src/request.rs";

const call = (method: string, ...params: readonly Json[]) => ({
  json: { jsonrpc: "2.0", id: 1, method, params: [...params] },
});
const ALL = ["spend", "execute", "administer"] as const;

const LEGACY =
  "4hXTCkRzt9WyecNzV1XPgCDfGAZzQKNxLXgynz5QDuWWPSAZBZSHptvWRL3BjCvzUXRdKvHL2b7yGrRQcWyaqsaBCncVG7BFggS8w9snUts67BSh3" +
  "EqKpXLUm5UMHfD7ZBe9GhARjbNQMLJ1QD3Spr6oMTBU6EhdB4RD8CP2xUxr2u3d6fos36PD98XS6oX8TQjLpsMwncs5DAMiD4nNnR8NBfyghGCWvCVi" +
  "fVwvA8B8TJxE1aiyiv2L429BCWfyzAme5sZW8rDb14NeCQHhZbtNqfXhcp2tAnaAT";
const VERSIONED =
  "AbC/XNkPUUZ7/51SaG1wbG0ojrWHIGzVL73M8hRnDr73RkBAZc0ZnikluvcCeprAmqHDJrcPxPUbvEJMVBIiVQeAAQABAzfDSQC/GjcggrLsDpYz7jAl" +
  "T+Gca846HqtFb8UQMM9cCWPIi4AX32PV8HrY7/1WgoRc3IATttceZsUMeQ1qx7UAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAIgsVWEgMTiO" +
  "Yp63gTtuYGw+izfm6wKQdivpiXQBpNnYAQICAAEMAgAAAEBCDwAAAAAAAA==";
const TOKEN_TRANSFER =
  "AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAABAAEEjNmKiZGiOtSZ+g0//wH5kEQo" +
  "3+UzictY+KlLV8hjXcs44M/Xnr+1SlZsqS6cFMQc46yj9PIsxqkycxJmXT+veJjIvefX4nhY9rY+B5qreeqTHu4mG6Xtxr5udn4MN8PnBt324e51j94Y" +
  "Ql285GzN2rYa/E2DuQ0n/r35KNihi/zamQ6EeyeeVDvPVgUO2W3Lgt9hT+CfyqHvIa11egFPCgEDAwIBAAkDZAAAAAAAAAA=";
const RECEIVER = "devFqxUpdo1sYETcWTXT12JE8V53MG2hRsXNMx2bYhA";
const BASE64 = { encoding: "base64" };

export const golden: readonly Golden[] = [
  ...goldenRows(METHODS, [
    ["POST /", "chain.read", ["read"], "a balance is public", call("getBalance", RECEIVER)],
    ["POST /", "chain.read", ["read"], "an account is public", call("getAccountInfo", RECEIVER)],
    ["POST /", "chain.read", ["read"], "needed for a transaction", call("getLatestBlockhash")],
    [
      "POST /",
      "chain.read",
      ["read"],
      "what a transaction costs",
      call("getFeeForMessage", "AQ=="),
    ],
    [
      "POST /",
      "chain.read",
      ["read"],
      "whether it may still be sent",
      call("isBlockhashValid", "x"),
    ],
    ["POST /", "node.administer", ["administer"], "no call of an agent", call("registerNode")],
    ["POST /", "node.administer", ["administer"], "no call of an agent", call("signVote")],
    ["POST /", "unknown", ALL, "no method of Solana", call("getSecretKey")],
    ["POST /", "unknown", ALL, "methods are told by case", call("getbalance", RECEIVER)],
    ["POST /", "unknown", ALL, "the beginning of a method is none", call("getBalances", RECEIVER)],
    [
      "POST /api",
      "unknown",
      ALL,
      "another path than the interface's",
      call("getBalance", RECEIVER),
    ],
  ]),
  ...goldenRows(DOCS, [
    [
      "POST /",
      "airdrop.request",
      ["write"],
      "money of a test cluster",
      call("requestAirdrop", "83astBRguLMdt2h5U1Tpdq5tjFoJ6noeGwaY3mDLVcri", 1_000_000_000),
    ],
    [
      "POST /",
      "transaction.simulate",
      ["read"],
      "nothing is sent",
      call("simulateTransaction", TOKEN_TRANSFER, BASE64),
    ],
    [
      "POST /",
      "transaction.send",
      ["spend"],
      "the example in base 64, version 0",
      {
        ...call("sendTransaction", VERSIONED, BASE64),
        recipients: [RECEIVER],
        amount: "0.001000000 SOL",
        reversible: false,
      },
    ],
    [
      "POST /",
      "transaction.send",
      ["spend"],
      "the example in base 58, the old form",
      { ...call("sendTransaction", LEGACY), amount: "5.000000000 SOL" },
    ],
    [
      "POST /",
      "transaction.send",
      ["spend", "execute"],
      "the token program is not read: whom it reaches is unknown",
      { ...call("sendTransaction", TOKEN_TRANSFER, BASE64), recipients: ["unknown"] },
    ],
    [
      "POST /",
      "transaction.send",
      ALL,
      "base 64 that is said to be base 58",
      { ...call("sendTransaction", VERSIONED), recipients: ["unknown"] },
    ],
    [
      "POST /",
      "batch",
      ["read", "spend"],
      "a list does what its calls do, and moves their sum",
      {
        json: [
          call("getSlot").json,
          call("sendTransaction", VERSIONED, BASE64).json,
          call("sendTransaction", LEGACY).json,
        ],
        amount: "5.001000000 SOL",
      },
    ],
    ["POST /", "unknown", ALL, "an empty list", { json: [] }],
  ]),
];
