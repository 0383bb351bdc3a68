/**
 * Ethereum's JSON-RPC, of a node of one's own or a provider. What a method means stands here; what the
 * transaction in a call moves is read by the reader of the same name.
 *
 * @module
 */
import type { EntrySource } from "../entry.ts";

/** Of the chain, which is public; a call of eth_call runs on the node and changes nothing. */
const CHAIN_READS = [
  ..."blockNumber chainId syncing config capabilities gasPrice baseFee blobBaseFee feeHistory".split(
    " ",
  ),
  ..."maxPriorityFeePerGas getBalance getCode getStorageAt getStorageValues getProof getLogs".split(
    " ",
  ),
  ..."getTransactionCount getTransactionByHash getTransactionReceipt getBlockByHash".split(" "),
  ..."getTransactionByBlockHashAndIndex getTransactionByBlockNumberAndIndex getBlockByNumber".split(
    " ",
  ),
  ..."getBlockTransactionCountByHash getBlockTransactionCountByNumber getBlockReceipts".split(" "),
  ..."getBlockAccessList call estimateGas createAccessList simulateV1 fillTransaction".split(" "),
  ..."newFilter newBlockFilter newPendingTransactionFilter uninstallFilter".split(" "),
  ..."getFilterChanges getFilterLogs".split(" "),
].map((name) => `eth_${name}`);

const SIGNATURES = [
  "eth_sign",
  "eth_signTypedData",
  "eth_signTypedData_v1",
  "eth_signTypedData_v3",
  "eth_signTypedData_v4",
  "personal_sign",
];

export const ethereum: EntrySource = {
  system: "ethereum",
  title: "Ethereum JSON-RPC",
  docs: [
    "https://github.com/ethereum/execution-apis",
    "https://geth.ethereum.org/docs/rpc/ns-personal",
  ],
  credential: [
    { in: "header", name: "authorization", scheme: "Bearer" },
    { in: "path", after: "/v2/" },
    { in: "path", after: "/v3/" },
  ],
  unknown: ["spend", "execute", "administer"],
  // Geth reads names as Go does; a second spelling of one is refused.
  dialect: ["go-json"],
  routes: [
    {
      verb: "unknown",
      // Providers put their key into the path.
      request: ["POST /", "POST /v2/{key}", "POST /v3/{key}"],
      effects: ["spend", "execute", "administer"],
      summary: "Call {body.method}, which is not known",
      body: ["json"],
      batch: true,
      reader: "ethereum",
      show: "payment",
      cases: [
        {
          when: { "body.method": { only: CHAIN_READS } },
          verb: "chain.read",
          effects: ["read"],
          summary: "Read the chain ({body.method})",
          reversible: true,
        },
        {
          when: {
            "body.method": {
              only: [
                "net_version",
                "net_listening",
                "net_peerCount",
                "web3_clientVersion",
                "web3_sha3",
              ],
            },
          },
          verb: "chain.read",
          effects: ["read"],
          summary: "Read about the node ({body.method})",
          reversible: true,
        },
        {
          when: { "body.method": { only_like: "^txpool_(status|content|contentFrom|inspect)$" } },
          verb: "txpool.read",
          effects: ["read"],
          summary: "Read transactions that wait ({body.method})",
          reversible: true,
        },
        {
          when: {
            "body.method": {
              only: [
                "eth_accounts",
                "eth_coinbase",
                "personal_listAccounts",
                "personal_listWallets",
              ],
            },
          },
          verb: "account.list",
          effects: ["read-private"],
          summary: "Read which accounts the node can sign for ({body.method})",
          reversible: true,
        },
        {
          when: {
            "body.method": { only: ["eth_sendRawTransaction", "eth_sendRawTransactionSync"] },
          },
          verb: "transaction.send",
          effects: ["spend"],
          summary: "Send a signed transaction",
        },
        {
          when: { "body.method": { only: ["eth_sendTransaction", "personal_sendTransaction"] } },
          verb: "wallet.send",
          effects: ["spend"],
          summary: "Sign and send a transaction",
        },
        {
          when: { "body.method": { only: ["eth_signTransaction", "personal_signTransaction"] } },
          verb: "wallet.sign-transaction",
          effects: ["spend"],
          summary: "Sign a transaction, which anyone can send then",
        },
        {
          // A signed text may be a login or a permission to move tokens (EIP-2612).
          when: { "body.method": { only: SIGNATURES } },
          verb: "wallet.sign",
          effects: ["spend", "administer"],
          summary: "Sign a text with the key of an account ({body.method})",
        },
        {
          when: { "body.method": { only: ["wallet_sendCalls"] } },
          verb: "wallet.send-calls",
          effects: ["spend", "execute", "administer"],
          summary: "Sign and send several calls",
        },
        {
          when: { "body.method": { only_like: "^(personal|wallet)_" } },
          verb: "wallet.administer",
          effects: ["administer"],
          summary: "Administer the wallet ({body.method})",
        },
        {
          when: { "body.method": { only_like: "^(admin|debug|engine|miner|clique|testing)_" } },
          verb: "node.administer",
          effects: ["administer"],
          summary: "Administer the node ({body.method})",
        },
      ],
    },
  ],
};
