import { Empty } from "../../parts/index.ts";

export function RunScreen() {
  return <Empty title="Runs" />;
}
