/**
 * crates.io, to build from: the sparse index, the files, and the API; to publish is known by name. A crate's
 * name is a message to whoever runs the registry; names have 64 characters at most, and those of great entropy
 * are for the detectors.
 *
 * @module
 */
import type { EntrySource } from "../entry.ts";

const NAME = "{name:[A-Za-z][A-Za-z0-9_-]{0,63}}";
const VERSION = "{version:[0-9][0-9A-Za-z.+-]{0,80}}";
const CRATE = `/api/v1/crates/${NAME}`;

export const crates: EntrySource = {
  system: "crates",
  title: "crates.io",
  docs: [
    "https://doc.rust-lang.org/cargo/reference/registry-web-api.html",
    "https://doc.rust-lang.org/cargo/reference/registry-index.html",
    "https://github.com/rust-lang/crates.io",
  ],
  hosts: ["crates.io", "index.crates.io", "static.crates.io"],
  credential: [{ in: "header", name: "authorization" }],
  unknown: ["publish", "delete", "administer"],
  routes: [
    {
      verb: "index.read",
      request: [
        "GET /config.json",
        `GET|HEAD /{size:1|2}/${NAME}`,
        `GET|HEAD /3/{first:[a-z]}/${NAME}`,
        `GET|HEAD /{first:[a-z][a-z0-9_-]}/{second:[a-z0-9_-]{2}}/${NAME}`,
      ],
      effects: ["read"],
      summary: "Read which versions of {path.name} there are",
    },
    {
      verb: "crate.download",
      request: [
        `GET ${CRATE}/${VERSION}/download`,
        `GET|HEAD /crates/${NAME}/{file:[A-Za-z0-9_.+-]{1,160}\\.crate}`,
        `GET|HEAD /crates/${NAME}/${VERSION}/download`,
      ],
      effects: ["read"],
      summary: "Fetch {path.name} {path.version} {path.file}",
    },
    {
      // What is searched for is told to the registry.
      verb: "crate.search",
      request: "GET /api/v1/crates",
      effects: ["read"],
      summary: "Search the registry for {query.q}",
    },
    {
      verb: "crate.read",
      request: [
        `GET ${CRATE}`,
        `GET ${CRATE}/{part:versions|owners|owner_team|owner_user|reverse_dependencies|downloads}`,
        `GET ${CRATE}/${VERSION}`,
        `GET ${CRATE}/${VERSION}/{part:readme|dependencies|downloads|authors}`,
        "GET /api/v1/{list:categories|keywords|summary|category_slugs|site_metadata}",
        "GET /api/v1/{list:categories|keywords}/{id:[A-Za-z0-9_:+-]{1,64}}",
      ],
      effects: ["read"],
      summary: "Read about {path.name} {path.version}",
    },
    {
      verb: "crate.publish",
      request: "PUT /api/v1/crates/new",
      effects: ["publish"],
      summary: "Publish a crate for good: versions cannot be taken back",
      body: ["raw"],
    },
    {
      verb: "crate.yank",
      request: [`DELETE ${CRATE}/${VERSION}/yank`, `PUT ${CRATE}/${VERSION}/unyank`],
      effects: ["publish"],
      summary: "Yank {path.name} {path.version}, or take that back",
      reversible: true,
    },
    {
      verb: "crate.update",
      request: [
        `PATCH ${CRATE}`,
        `PATCH ${CRATE}/${VERSION}`,
        `POST ${CRATE}/${VERSION}/rebuild_docs`,
      ],
      effects: ["publish", "administer"],
      summary: "Change how {path.name} {path.version} is published",
    },
    {
      verb: "crate.delete",
      request: `DELETE ${CRATE}`,
      effects: ["delete"],
      summary: "Delete {path.name} for good",
    },
    {
      // Whoever is invited is written to.
      verb: "owner.change",
      request: `PUT|DELETE ${CRATE}/owners`,
      effects: ["administer", "send"],
      summary: "Change who may publish {path.name}: {body.owners.*} {body.users.*}",
      recipients: ["body.owners.*", "body.users.*"],
    },
    {
      verb: "crate.follow",
      request: `PUT|DELETE ${CRATE}/follow`,
      effects: ["write"],
      summary: "Follow {path.name}, or no longer",
    },
    {
      verb: "token.create",
      request: ["PUT|POST /api/v1/me/tokens", "POST /api/v1/trusted_publishing/tokens"],
      effects: ["administer"],
      summary: "Get a token that works without Cofferdam",
    },
    {
      verb: "token.delete",
      request: [
        "DELETE /api/v1/me/tokens/{id}",
        "DELETE /api/v1/tokens/current",
        "DELETE /api/v1/trusted_publishing/tokens",
      ],
      effects: ["administer", "delete"],
      summary: "Take back a token",
    },
    {
      verb: "account.administer",
      request: [
        "GET /api/private/session/{rest...}",
        "POST|DELETE /api/private/{rest...}",
        "PUT /api/v1/{kind:me|users|confirm}/{rest...}",
        "POST|DELETE /api/v1/trusted_publishing/{rest...}",
      ],
      effects: ["administer"],
      summary: "Change the account: {path.rest}",
    },
    {
      verb: "account.read",
      request: [
        "GET /api/v1/me",
        "GET /api/v1/me/{rest...}",
        `GET ${CRATE}/following`,
        "GET /api/v1/{kind:users|teams}/{rest...}",
        "GET /api/v1/trusted_publishing/{rest...}",
      ],
      effects: ["read-private"],
      summary: "Read about the account or its people: {path.rest}",
    },
  ],
};
