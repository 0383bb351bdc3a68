import { Empty } from "../../parts/index.ts";

export function TasksScreen() {
  return <Empty title="Tasks" />;
}
