import { Empty } from "../../parts/index.ts";

export function CredentialsScreen() {
  return <Empty title="Credentials" />;
}
