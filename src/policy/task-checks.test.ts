import { ANY, GET, grant, rules, testBroken, two } from "./testing.test.ts";

testBroken([
  // What can never match, or lifts nothing.
  [
    "the same name twice",
    two(`hosts: [a.example], ${GET}`, `hosts: [b.example], ${GET}`).replace("name: y", "name: x"),
    "5:27",
    /the name of grants\[0\] already/,
  ],
  [
    "a host that an earlier grant has",
    two(`hosts: ["*.a.example"], ${GET}`, `hosts: [b.a.example], ${GET}`),
    "5:38",
    /can never match: grants\[0\] has this host/,
  ],
  [
    "a host that two earlier entries share out by port",
    two(
      `hosts: [a.example], ports: [80, 443], ${GET}`,
      `hosts: [A.EXAMPLE.], ports: [443, 80], ${GET}`,
    ),
    "5:38",
    /can never match/,
  ],
  [
    "a host twice in a list, spelled differently",
    grant(`    hosts: [x.example, X.Example]\n${ANY}`),
    "6:24",
    /can never match/,
  ],
  [
    "a rule that an earlier one covers",
    rules(
      '      - { methods: [GET, HEAD], paths: ["/**"] }\n      - { methods: [HEAD], paths: ["/a/*", /b] }\n',
    ),
    "9:9",
    /rules before it in this grant cover all of it/,
  ],
  [
    "a rule that two earlier ones share out",
    rules(
      '      - { methods: [GET], paths: ["/a/**"] }\n      - { methods: [HEAD], paths: ["/**"] }\n      - { methods: [GET, HEAD], paths: ["/a/b"] }\n',
    ),
    "10:9",
    /cover all of it/,
  ],
  [
    "a path that an earlier one covers",
    rules('      - { methods: [GET], paths: ["/a/**", "/a/b", "/c"] }\n'),
    "8:44",
    /already covers \/a\/b/,
  ],
  [
    "binary messages where no WebSocket is opened",
    rules('      - { methods: [GET], paths: ["/**"], opaque: true }\n'),
    "8:51",
    /this rule opens none/,
  ],
  [
    "a WebSocket that nothing can open",
    rules('      - { methods: [POST], paths: ["/**"], websocket: true }\n'),
    "8:55",
    /opened by GET/,
  ],
  [
    "a WebSocket that only reads",
    rules('      - { methods: [GET], paths: ["/**"], websocket: true, effects: [read] }\n'),
    "8:69",
    /carries messages both ways/,
  ],
  [
    "unattended where nothing waits",
    rules(
      '      - { methods: [POST], paths: ["/**"], unattended: { count: 1, reason: x, expires: 2026-12-31 } }\n',
    ),
    "8:56",
    /write never waits for a person/,
  ],
  [
    "unattended that is over",
    rules(
      '      - { methods: [DELETE], paths: ["/**"], unattended: { count: 1, reason: x, expires: 2026-11-22 } }\n',
    ),
    "8:90",
    /is over/,
  ],
  [
    "unattended for ever",
    rules(
      '      - { methods: [DELETE], paths: ["/**"], unattended: { count: 1, reason: x, expires: 2036-11-22 } }\n',
    ),
    "8:90",
    /more than a year ahead/,
  ],
  [
    "unattended without a reason",
    rules(
      '      - { methods: [DELETE], paths: ["/**"], unattended: { count: 1, expires: 2026-12-31 } }\n',
    ),
    "8:58",
    /reason" is missing/,
  ],
  [
    "unattended without a limit",
    rules(
      '      - { methods: [DELETE], paths: ["/**"], unattended: { reason: x, expires: 2026-12-31 } }\n',
    ),
    "8:58",
    /count" is missing/,
  ],
  [
    "unattended until no day",
    rules(
      '      - { methods: [DELETE], paths: ["/**"], unattended: { count: 1, reason: x, expires: 2026-02-30 } }\n',
    ),
    "8:90",
    /not a day/,
  ],
  [
    "a pair with nobody",
    two(`hosts: [a.example], pairs: [z], ${GET}`, `hosts: [b.example], ${GET}`),
    "4:58",
    /no grant of this file/,
  ],
  [
    "a pair with itself",
    two(`hosts: [a.example], pairs: [x], ${GET}`, `hosts: [b.example], ${GET}`),
    "4:58",
    /this grant itself/,
  ],
  [
    "a pair that lifts nothing",
    two(`hosts: [a.example], pairs: [y], ${GET}`, `hosts: [b.example], ${GET}`),
    "4:58",
    /reads nothing private/,
  ],
  [
    "more rules than can be compared",
    rules(
      Array.from(
        { length: 6 },
        (_, at) =>
          `      - { methods: [GET], paths: [${Array.from({ length: 90 }, (_, n) => `/${at}/${n}`).join(", ")}] }\n`,
      ).join(""),
    ),
    "8:7",
    /540 pairs of method and path/,
  ],
]);
