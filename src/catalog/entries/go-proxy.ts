/**
 * A Go module proxy and the checksum database. It has no requests that change anything; but a proxy that does
 * not know a module asks the host in the module's path for it, so that a path is a message to whoever owns that
 * host. Paths of great length are refused, those of great entropy are for the detectors.
 *
 * @module
 */
import type { EntrySource } from "../entry.ts";

/** A module path in the proxy's spelling: capitals are `!` and the small letter. */
const MODULE =
  "[a-z0-9-]+(?:\\.[a-z0-9-]+)+(?:/[a-z0-9!~._-]+){0,12}|(?:std|toolchain|golang\\.org/toolchain)";
const VERSION = "[A-Za-z0-9!~.+_-]{1,100}";

const path = (rest: string) => `{path...:(?=.{1,300}$)(?:${MODULE})/@${rest}}`;

export const goProxy: EntrySource = {
  system: "go-proxy",
  title: "Go module proxy",
  docs: ["https://go.dev/ref/mod#module-proxy", "https://go.dev/ref/mod#checksum-database"],
  hosts: ["proxy.golang.org", "sum.golang.org"],
  unknown: ["write"],
  routes: [
    {
      verb: "checksum.read",
      request: [
        "GET /{kind:latest|supported}",
        `GET /lookup/{path...:(?=.{1,300}$)(?:${MODULE})@${VERSION}}`,
        "GET /tile/{rest...:[0-9]+/(?:[0-9]+|data)/(?:x[0-9]{3}/)*[0-9]{3}(?:\\.p/[0-9]+)?}",
        `GET /sumdb/sum.golang.org/{rest...:(?:latest|supported|lookup/(?=.{1,300}$)(?:${MODULE})@${VERSION}|tile/[0-9a-z./]{1,80})}`,
      ],
      effects: ["read"],
      summary: "Read the checksum of {path.path} {path.rest}",
    },
    {
      verb: "module.list",
      request: [`GET|HEAD /${path("v/list")}`, `GET|HEAD /${path("latest")}`],
      effects: ["read"],
      summary: "Read which versions there are: {path.path}",
    },
    {
      verb: "module.read",
      request: `GET|HEAD /${path(`v/${VERSION}\\.(?:info|mod|zip)`)}`,
      effects: ["read"],
      summary: "Fetch {path.path}",
    },
  ],
};
