import { Empty } from "../../parts/index.ts";

export function NowScreen() {
  return <Empty title="Now" />;
}
