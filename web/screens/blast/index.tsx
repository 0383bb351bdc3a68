import { Empty } from "../../parts/index.ts";

export function BlastScreen() {
  return <Empty title="Blast radius" />;
}
