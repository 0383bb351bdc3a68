/** Golden requests of a Go module proxy. */
import { goldenRows, type Golden } from "../golden.ts";

const REFERENCE = "github.com/golang/website _content/ref/mod.md";

export const golden: readonly Golden[] = goldenRows(REFERENCE, [
  ["GET /golang.org/x/text/@v/list", "module.list", ["read"], "which versions there are"],
  ["GET /golang.org/x/mod/@latest", "module.list", ["read"], "where the list is empty"],
  ["GET /golang.org/x/text/@v/v0.3.2.mod", "module.read", ["read"], "what it needs"],
  ["GET /golang.org/x/mod/@v/v0.2.0.zip", "module.read", ["read"], "the files"],
  ["GET /golang.org/x/mod/@v/v0.2.0.info", "module.read", ["read"], "of when it is"],
  [
    "GET /golang.org/x/text/@v/master.info",
    "module.read",
    ["read"],
    "a branch, which the proxy asks for",
  ],
  [
    "GET /golang.org/x/net/html/@v/list",
    "module.list",
    ["read"],
    "a package that is no module: asked for all the same",
  ],
  ["GET /example.com/!m/@v/list", "module.list", ["read"], "a capital in the proxy's spelling"],
  [
    "GET /example.com/M/@v/list",
    "unknown",
    ["write"],
    "a capital as such is no spelling of the proxy",
  ],
  ["GET /golang.org/x/text", "unknown", ["write"], "no file of the protocol"],
  ["GET /golang.org/x/text/@v/v0.3.2.exe", "unknown", ["write"], "no file of the protocol"],
  [
    "GET /golang.org/x/text?go-get=1",
    "unknown",
    ["write"],
    "a question to a host itself, not to a proxy",
  ],
  ["PUT /golang.org/x/text/@v/v0.3.2.zip", "unknown", ["write"], "the protocol only reads"],
  ["POST /golang.org/x/text/@v/list", "unknown", ["write"], "the protocol only reads"],
  [
    `GET /example.com/${"a/".repeat(13)}b/@v/list`,
    "unknown",
    ["write"],
    "deeper than modules are: it says something else",
  ],
  [
    `GET /example.com/${"a".repeat(300)}/@v/list`,
    "unknown",
    ["write"],
    "longer than modules are: it says something else",
  ],
  [
    "GET /sumdb/sum.golang.org/supported",
    "checksum.read",
    ["read"],
    "the database through the proxy",
    { source: "memory" },
  ],
  [
    "GET /lookup/golang.org/x/text@v0.3.0",
    "checksum.read",
    ["read"],
    "what its files must be",
    { source: "memory" },
  ],
  ["GET /tile/8/0/x001/234", "checksum.read", ["read"], "a piece of the log", { source: "memory" }],
]);
