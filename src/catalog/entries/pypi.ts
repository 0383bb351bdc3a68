/**
 * PyPI, to install from: pypi.org, files.pythonhosted.org, and upload.pypi.org by name. A project's name is a
 * message to whoever runs the index; long ones are refused, and those of great entropy are for the detectors.
 *
 * @module
 */
import type { EntrySource } from "../entry.ts";

const NAME = "{name:[A-Za-z0-9](?:[A-Za-z0-9._-]{0,98}[A-Za-z0-9])?}";
const VERSION = "{version:[A-Za-z0-9.!+_-]{1,80}}";
/** With and without a slash at the end. */
const both = (form: string) => [form, `${form}/`];

export const pypi: EntrySource = {
  system: "pypi",
  title: "PyPI",
  docs: ["https://docs.pypi.org/api/", "https://github.com/pypi/warehouse/tree/main/docs/user/api"],
  hosts: ["pypi.org", "files.pythonhosted.org", "upload.pypi.org"],
  credential: [{ in: "header", name: "authorization", scheme: "Basic" }],
  unknown: ["publish", "delete", "administer"],
  routes: [
    {
      verb: "project.read",
      request: [
        ...both("GET|HEAD /simple"),
        ...both(`GET|HEAD /simple/${NAME}`),
        ...both(`GET /pypi/${NAME}/json`),
        ...both(`GET /pypi/${NAME}/${VERSION}/json`),
        ...both(`GET /project/${NAME}`),
        ...both(`GET /project/${NAME}/${VERSION}`),
        `GET /integrity/${NAME}/${VERSION}/{file}/provenance`,
        "GET /rss/{feed:packages|updates}.xml",
        `GET /rss/project/${NAME}/releases.xml`,
        ...both("GET /stats"),
      ],
      effects: ["read"],
      summary: "Read about {path.name} {path.version}",
    },
    {
      verb: "file.read",
      request:
        "GET|HEAD /packages/{rest...:[0-9a-z.]+/[0-9A-Za-z._-]+/[0-9A-Za-z._-]+/[A-Za-z0-9._+!-]{1,300}}",
      effects: ["read"],
      summary: "Fetch the file {path.rest}",
    },
    {
      // What is searched for is told to the index.
      verb: "project.search",
      request: both("GET /search"),
      effects: ["read"],
      summary: "Search the index for {query.q}",
    },
    {
      verb: "file.upload",
      request: [...both("POST /legacy"), ...both("POST /pypi"), "POST /"],
      effects: ["publish"],
      summary: "Publish {param.name} {param.version}",
      body: ["form", "multipart"],
      cases: [
        {
          // The names of the old API: some of them only read, but none has been needed for years.
          when: { "param.:action": { none: ["file_upload"] } },
          verb: "legacy.call",
          effects: ["publish", "administer"],
          summary: "Call the old API: {param.:action}",
        },
      ],
    },
    {
      // Tokens that work without Cofferdam.
      verb: "token.mint",
      request: [...both("POST /_/oidc/mint-token"), ...both("POST /_/oidc/{publisher}/mint-token")],
      effects: ["administer"],
      summary: "Get a token that may publish",
    },
    {
      verb: "token.disclose",
      request: "POST /_/{who:secrets|github}/disclose-token",
      effects: ["administer"],
      summary: "Report a token as disclosed, which ends it",
    },
    {
      verb: "oidc.audience",
      request: both("GET /_/oidc/audience"),
      effects: ["read"],
      summary: "Read for whom tokens are made",
    },
    {
      verb: "account.administer",
      request: [
        "GET|POST /manage/{rest...}",
        "GET|POST /account/{rest...}",
        "POST /danger-api/{rest...}",
      ],
      effects: ["administer"],
      summary: "Use the pages of the account: {path.rest}",
    },
  ],
};
