/**
 * A small company on this machine: a real WordPress, doubles of Listmonk, n8n and LinkedIn, and its own servers
 * (servers.ts), with the credentials of all of them in a vault and the grants for a task file.
 *
 * @module
 */
import { startLinkedin } from "../../test/doubles/linkedin.ts";
import { startListmonk } from "../../test/doubles/listmonk.ts";
import { startN8n } from "../../test/doubles/n8n.ts";
import type { TestHome } from "../../test/support/home.ts";
import { startWordPress } from "../../test/wordpress/kit.ts";
import { startServers } from "./servers.ts";

const LIST_TOKEN = "list-token-8f21c7de55a0";
const N8N_KEY = "n8n-key-44e0b19a7c3f";
const PAGE_TOKEN = "page-token-19c2d7f0e8b4";

/** Starts it, and puts its credentials into the vault of `home`. */
export async function startCompany(home: TestHome) {
  const blog = await startWordPress();
  const list = await startListmonk({
    user: "ops",
    token: LIST_TOKEN,
    lists: { 1: ["ann@client.example", "bob@client.example"] },
  });
  const n8n = await startN8n({ apiKey: N8N_KEY });
  const page = await startLinkedin({ token: PAGE_TOKEN });
  const servers = await startServers(home);

  const add = async (name: string, secret: string, ...how: readonly string[]) => {
    const args = ["credential", "add", name, "--scheme", "http", "--port", "80", ...how, "--stdin"];
    const { code, stderr: said } = await home.call(args, { input: `${secret}\n` });
    if (code !== 0) throw new Error(`credential ${name}: ${said}`);
  };
  const { user, applicationPassword } = blog.editor;
  await add("blog", applicationPassword, "--kind", "basic", "--user", user, "--host", "blog.test");
  await add("list", LIST_TOKEN, "--kind", "basic", "--user", "ops", "--host", "list.test");
  await add("n8n", N8N_KEY, "--kind", "header", "--field", "X-N8N-API-KEY", "--host", "n8n.test");
  await add("page", PAGE_TOKEN, "--kind", "bearer", "--host", "page.test");

  const web = [
    ["wordpress", "blog", blog.origin],
    ["listmonk", "list", list.url],
    ["n8n", "n8n", n8n.url],
    ["linkedin", "page", page.url],
  ] as const;
  return {
    blog,
    list,
    n8n,
    page,
    servers,
    /** The `grants:` of a task file, without that line. */
    grants: `${web.map(([system, name, url]) => grant(system, name, url)).join("")}${servers.grants}`,
    secrets: [applicationPassword, LIST_TOKEN, N8N_KEY, PAGE_TOKEN, ...servers.secrets],
    async close(): Promise<void> {
      await Promise.all([blog, list, n8n, page, servers].map((one) => one.close()));
    },
  };
}

function grant(system: string, name: string, url: string): string {
  const pairs = ["blog", "list", "n8n", "page"].filter((other) => other !== name);
  return `  - system: ${system}
    name: ${name}
    hosts: [${name}.test]
    ports: [80]
    dial: ${new URL(url).host}
    credential: ${name}
    variable: ${name.toUpperCase()}_CREDENTIAL
    pairs: [${pairs.join(", ")}]
    allow:
      - verbs: ["*"]
        doing: [read, read-private, write, publish, send, execute, spend]
`;
}
