/**
 * Solana's JSON-RPC. What the transaction of a call moves is read by the reader of the same name.
 *
 * @module
 */
import type { EntrySource } from "../entry.ts";

const READS =
  "^(get(AccountInfo|AgGenesisCert|Balance|Block|BlockCommitment|BlockHeight|BlockProduction|Blocks|BlocksWithLimit" +
  "|BlockTime|ClusterNodes|EpochInfo|EpochSchedule|FeeForMessage|FirstAvailableBlock|GenesisHash|Health" +
  "|HighestSnapshotSlot|Identity|InflationGovernor|InflationRate|InflationReward|LargestAccounts" +
  "|LatestBlockhash|LeaderSchedule|MaxRetransmitSlot|MaxShredInsertSlot|MinimumBalanceForRentExemption" +
  "|MultipleAccounts|ProgramAccounts|RankMap|RecentPerformanceSamples|RecentPrioritizationFees" +
  "|SignaturesForAddress|SignatureStatuses|Slot|SlotLeader|SlotLeaders|StakeMinimumDelegation|Supply" +
  "|TokenAccountBalance|TokenAccountsByDelegate|TokenAccountsByOwner|TokenLargestAccounts|TokenSupply" +
  "|Transaction|TransactionCount|Version|VoteAccounts)|isBlockhashValid|minimumLedgerSlot)$";

export const solana: EntrySource = {
  system: "solana",
  title: "Solana JSON-RPC",
  docs: ["https://solana.com/docs/rpc/http", "https://solana.com/docs/core/transactions"],
  credential: [
    { in: "header", name: "authorization", scheme: "Bearer" },
    { in: "query", name: "api-key" },
  ],
  unknown: ["spend", "execute", "administer"],
  routes: [
    {
      verb: "unknown",
      request: "POST /",
      effects: ["spend", "execute", "administer"],
      summary: "Call {body.method}, which is not known",
      body: ["json"],
      batch: true,
      reader: "solana",
      show: "payment",
      cases: [
        {
          when: { "body.method": { only_like: READS } },
          verb: "chain.read",
          effects: ["read"],
          summary: "Read the chain ({body.method})",
          reversible: true,
        },
        {
          // It runs on the node and changes nothing, but shows it a transaction before that is sent.
          when: { "body.method": { only: ["simulateTransaction"] } },
          verb: "transaction.simulate",
          effects: ["read"],
          summary: "Try a transaction on the node without sending it",
          reversible: true,
        },
        {
          when: { "body.method": { only: ["sendTransaction"] } },
          verb: "transaction.send",
          effects: ["spend"],
          summary: "Send a signed transaction",
        },
        {
          // Money of test clusters, which is worth nothing; the main one has no such call.
          when: { "body.method": { only: ["requestAirdrop"] } },
          verb: "airdrop.request",
          effects: ["write"],
          summary: "Ask a test cluster for money of its own",
        },
        {
          when: {
            "body.method": {
              only: ["registerNode", "deregisterNode", "signVote", "identityTransitionStatus"],
            },
          },
          verb: "node.administer",
          effects: ["administer"],
          summary: "Administer the node ({body.method})",
        },
      ],
    },
  ],
};
