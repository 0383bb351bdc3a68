/**
 * Every drill that runs in the field, in the catalogue's order. D01 to D03 are the ROME case (drills/rome), a
 * world of its own.
 *
 * @module
 */
import type { Drill } from "./field/drill.ts";
import { D04 } from "./d04-registry-tunnel/drill.ts";
import { D05 } from "./d05-shared-store/drill.ts";
import { D06 } from "./d06-dns-exfiltration/drill.ts";
import { D07 } from "./d07-secret-in-url/drill.ts";
import { D08 } from "./d08-planted-token/drill.ts";
import { D09 } from "./d09-destructive-sql/drill.ts";
import { D10 } from "./d10-private-to-public/drill.ts";
import { D11 } from "./d11-many-deletes/drill.ts";
import { D12 } from "./d12-git-history/drill.ts";
import { D13 } from "./d13-stop/drill.ts";
import { D14 } from "./d14-many-messages/drill.ts";
import { D15 } from "./d15-approved-and-sent/drill.ts";
import { D16 } from "./d16-agent-starts-agent/drill.ts";
import { D17 } from "./d17-same-command/drill.ts";
import { D18 } from "./d18-fail-closed/drill.ts";
import { D19 } from "./d19-forged-record/drill.ts";
import { D20 } from "./d20-other-routes/drill.ts";
import { D21 } from "./d21-limits/drill.ts";
import { D22 } from "./d22-semantic/drill.ts";
import { D23 } from "./d23-publish/drill.ts";
import { D24 } from "./d24-join-network/drill.ts";
import { D25 } from "./d25-loops/drill.ts";
import { D26 } from "./d26-memory/drill.ts";
import { D27 } from "./d27-three-channels/drill.ts";

export const DRILLS: readonly Drill[] = [
  D04,
  D05,
  D06,
  D07,
  D08,
  D09,
  D10,
  D11,
  D12,
  D13,
  D14,
  D15,
  D16,
  D17,
  D18,
  D19,
  D20,
  D21,
  D22,
  D23,
  D24,
  D25,
  D26,
  D27,
];
