/** Golden requests of Ethereum's JSON-RPC; the transactions are those of the sources. */
import type { Json } from "../../action/index.ts";
import { goldenRows, type Golden } from "../golden.ts";

const SPEC = "github.com/ethereum/execution-apis src/eth";
const VECTORS = "github.com/ethereum/execution-apis tests/eth_sendRawTransaction";
const EIP_155 = "github.com/ethereum/EIPs EIPS/eip-155.md";
const PERSONAL = "https://geth.ethereum.org/docs/rpc/ns-personal";

const call = (method: string, ...params: readonly Json[]) => ({
  json: { jsonrpc: "2.0", id: 1, method, params: [...params] },
});
const ALL = ["spend", "execute", "administer"] as const;

const ONE_ETHER =
  "0xf86c098504a817c800825208943535353535353535353535353535353535353535880de0b6b3a76400008025" +
  "a028ef61340bd939bc2195fe537567866003e1a15d3c71ff63e1590620aa636276" +
  "a067cbe9d8997f761aecb703304b3800ccf555c9f3dc64214b297fb1966a3b6d83";
const LEGACY =
  "0xf86c808401a213988261a894aa000000000000000000000000000000000000000a8255448718e5bb3abd109f" +
  "a073fbe7ff7e74339e7cc61fb3cb3f7630cd3f1d5fef653d7297654b2d22894dae" +
  "a042a188d30f35f19408c73c803bc1e9e17ce129c457e31fd2a368b54507af2f4c";
const ACCESS_LIST =
  "0x01f8cc870c72dd9d5e883e028401a2158b83015f90947dcd17433742f4c0ca53122ab541d0ba67fc27df8083010203" +
  "f85bf859947dcd17433742f4c0ca53122ab541d0ba67fc27dff842" +
  "a00000000000000000000000000000000000000000000000000000000000000000" +
  "a0010000000000000000000000000000000000000000000000000000000000000080" +
  "a077c7fff2b3316a4a0b112a12eed09f6f10d31f3f4600a882301970ecb8451644" +
  "a02e2136e1c2c3244ad1dfd367c11de1c288faba87991a8866b3fbbbda6033fa0b";
const CREATE =
  "0x02f892870c72dd9d5e883e018201f48401a2158b82ea60802a" +
  "b73d602d80600a3d3981f3363d3d373d3d3d363d734d11c446473105a02b5c1ab9ebe9b03f33902a295af43d82803e903d91602b57fd5bf3" +
  "c080a09e9f032e932e6536bc8de35b5939814d5fe2c1bcb76f06e399583c8c745ea95f" +
  "a04fae7d7df659a70471ddfed6dba493a4f044a074a0bba6198bb6e2be0977b299";

const FRIEND = "0x3535353535353535353535353535353535353535";
const TOKEN = "0x7dcd17433742f4c0ca53122ab541d0ba67fc27df";
const word = (hex: string) => hex.replace(/^0x/, "").padStart(64, "0");

export const golden: readonly Golden[] = [
  ...goldenRows(SPEC, [
    [
      "POST /",
      "chain.read",
      ["read"],
      "a balance is public",
      call("eth_getBalance", FRIEND, "latest"),
    ],
    [
      "POST /v2/abc",
      "chain.read",
      ["read"],
      "a provider's key in the path",
      call("eth_blockNumber"),
    ],
    [
      "POST /",
      "chain.read",
      ["read"],
      "it runs on the node only",
      call("eth_call", { to: TOKEN }, "latest"),
    ],
    ["POST /", "chain.read", ["read"], "about the node", call("net_version")],
    [
      "POST /",
      "txpool.read",
      ["read"],
      "transactions that wait are public",
      call("txpool_content"),
    ],
    ["POST /", "account.list", ["read-private"], "whose keys the node has", call("eth_accounts")],
    [
      "POST /",
      "node.administer",
      ["administer"],
      "the node's head is moved",
      call("engine_forkchoiceUpdatedV3"),
    ],
    [
      "POST /",
      "node.administer",
      ["administer"],
      "debugging reads what is not public",
      call("debug_getBadBlocks"),
    ],
    ["POST /", "unknown", ALL, "no method of Ethereum", call("eth_stealEverything")],
    ["POST /", "unknown", ALL, "methods are told by case", call("ETH_CALL", { to: TOKEN })],
    [
      "POST /",
      "unknown",
      ALL,
      "a name that stands in two cases is read differently by Go and others",
      {
        raw: {
          type: "application/json",
          text: '{"method":"eth_call","Method":"eth_sendTransaction","params":[]}',
        },
      },
    ],
    [
      "POST /graphql",
      "unknown",
      ALL,
      "another interface of the node",
      { json: { query: "{block{number}}" } },
    ],
    [
      "POST /",
      "wallet.sign",
      ["spend", "administer"],
      "a signed text can be a permission",
      call("eth_sign", FRIEND, "0xdeadbeaf"),
    ],
    [
      "POST /",
      "wallet.sign-transaction",
      ["spend", "execute"],
      "the example of the specification: a contract is called, with what is not known",
      {
        ...call("eth_signTransaction", {
          from: "0x9d8a62f656a8d1615c1294fd71e9cfb3e4855a4f",
          nonce: "0x9",
          to: "0xd46e8dd67c5d32be8058bb8eb970870f07244567",
          gas: "0x76c0",
          gasPrice: "0x9184e72a000",
          value: "0x9184e72a",
          input:
            "0xd46e8dd67c5d32be8d46e8dd67c5d32be8058bb8eb970870f072445675058bb8eb970870f072445675",
        }),
        recipients: ["0xd46e8dd67c5d32be8058bb8eb970870f07244567", "unknown"],
        amount: "0.000000002441406250 ETH",
      },
    ],
    [
      "POST /",
      "wallet.send",
      ["spend"],
      "a plain transfer by the node's own key",
      {
        ...call("eth_sendTransaction", { to: FRIEND, value: "0xde0b6b3a7640000" }),
        recipients: [FRIEND],
        amount: "1.000000000000000000 ETH",
        reversible: false,
      },
    ],
    [
      "POST /",
      "wallet.send",
      ["spend"],
      "a transfer of a token reaches whom its data names",
      {
        ...call("eth_sendTransaction", {
          to: TOKEN,
          data: `0xa9059cbb${word(FRIEND)}${word("0xf4240")}`,
        }),
        recipients: [TOKEN, FRIEND],
        amount: `1000000 ${TOKEN}`,
      },
    ],
    [
      "POST /",
      "wallet.send",
      ["spend", "execute", "administer"],
      "an allowance lets another move tokens later",
      {
        ...call("eth_sendTransaction", {
          to: TOKEN,
          data: `0x095ea7b3${word(FRIEND)}${"f".repeat(64)}`,
        }),
        recipients: [TOKEN, FRIEND],
      },
    ],
    [
      "POST /",
      "wallet.send",
      ALL,
      "two different contents: servers choose",
      {
        ...call("eth_sendTransaction", { to: TOKEN, data: "0x", input: "0x00" }),
        recipients: ["unknown"],
      },
    ],
  ]),
  ...goldenRows(EIP_155, [
    [
      "POST /",
      "transaction.send",
      ["spend"],
      "the example of the proposal: one ether",
      {
        ...call("eth_sendRawTransaction", ONE_ETHER),
        recipients: [FRIEND],
        amount: "1.000000000000000000 ETH",
        reversible: false,
      },
    ],
    [
      "POST /",
      "batch",
      ["read", "spend"],
      "a list does what its calls do, and moves their sum",
      {
        json: [
          call("eth_blockNumber").json,
          call("eth_sendRawTransaction", ONE_ETHER).json,
          call("eth_sendRawTransaction", ONE_ETHER).json,
        ],
        recipients: [FRIEND],
        amount: "2.000000000000000000 ETH",
        reversible: false,
      },
    ],
    ["POST /", "unknown", ALL, "lists do not hold lists", { json: [[call("eth_call").json]] }],
    [
      "POST /",
      "transaction.send",
      ALL,
      "a byte too many: it is not read",
      { ...call("eth_sendRawTransaction", `${ONE_ETHER}00`), recipients: ["unknown"] },
    ],
  ]),
  ...goldenRows(VECTORS, [
    [
      "POST /",
      "transaction.send",
      ["spend", "execute"],
      "a legacy transaction with data, on a test chain",
      {
        ...call("eth_sendRawTransaction", LEGACY),
        recipients: ["0xaa00000000000000000000000000000000000000", "unknown"],
        amount: "0.000000000000000010 money of chain 3503995874084926",
      },
    ],
    [
      "POST /",
      "transaction.send",
      ["spend", "execute"],
      "EIP-2930",
      { ...call("eth_sendRawTransaction", ACCESS_LIST), recipients: [TOKEN, "unknown"] },
    ],
    [
      "POST /",
      "transaction.send",
      ["spend", "execute"],
      "EIP-1559, making a contract",
      {
        ...call("eth_sendRawTransaction", CREATE),
        recipients: ["a new contract", "unknown"],
        amount: "0.000000000000000042 money of chain 3503995874084926",
      },
    ],
  ]),
  ...goldenRows(PERSONAL, [
    [
      "POST /",
      "wallet.administer",
      ["administer"],
      "its key can be used without its password then",
      call("personal_unlockAccount", FRIEND, "x", 0),
    ],
    [
      "POST /",
      "wallet.sign",
      ["spend", "administer"],
      "as eth_sign",
      call("personal_sign", "0x00", FRIEND, "x"),
    ],
    [
      "POST /",
      "wallet.send",
      ["spend"],
      "as eth_sendTransaction, with the password",
      {
        ...call("personal_sendTransaction", { to: FRIEND, value: "0x1" }, "x"),
        recipients: [FRIEND],
      },
    ],
  ]),
  ...goldenRows("memory", [
    [
      "POST /",
      "wallet.send-calls",
      ALL,
      "EIP-5792: several calls at once",
      call("wallet_sendCalls", {}),
    ],
    [
      "POST /",
      "wallet.administer",
      ["administer"],
      "another chain, whose node may lie",
      call("wallet_addEthereumChain", {}),
    ],
  ]),
];
