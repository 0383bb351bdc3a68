/**
 * Every drill that runs in the field, in the catalogue's order. D01 to D03 are the ROME case (drills/rome), a
 * world of its own.
 *
 * @module
 */
import type { Drill } from "./field/drill.ts";
import { D04 } from "./d04-registry-tunnel/drill.ts";
import { D06 } from "./d06-dns-exfiltration/drill.ts";
import { D07 } from "./d07-secret-in-url/drill.ts";
import { D08 } from "./d08-planted-token/drill.ts";
import { D09 } from "./d09-destructive-sql/drill.ts";
import { D12 } from "./d12-git-history/drill.ts";
import { D13 } from "./d13-stop/drill.ts";
import { D16 } from "./d16-agent-starts-agent/drill.ts";
import { D17 } from "./d17-same-command/drill.ts";

export const DRILLS: readonly Drill[] = [D04, D06, D07, D08, D09, D12, D13, D16, D17];
