import { Empty } from "../../parts/index.ts";

export function DrillsScreen() {
  return <Empty title="Drills" />;
}
