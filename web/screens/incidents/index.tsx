import { Empty } from "../../parts/index.ts";

export function IncidentsScreen() {
  return <Empty title="Incidents" />;
}
