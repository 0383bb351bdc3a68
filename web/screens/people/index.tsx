import { Empty } from "../../parts/index.ts";

export function PeopleScreen() {
  return <Empty title="People" />;
}
