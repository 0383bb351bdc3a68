import { Empty } from "../../parts/index.ts";

export function DoctorScreen() {
  return <Empty title="Doctor" />;
}
