import { Empty } from "../../parts/index.ts";

export function ApprovalsScreen() {
  return <Empty title="Approvals" />;
}
