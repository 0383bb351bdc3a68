/** Lines in the form of public documentation, as flows. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { createLineReader } from "./index.ts";

const NOW = { zoneMinutes: 0, nowMs: Date.UTC(2026, 10, 27, 12) };
const CASES = [
  // what, lines (the last one is looked at), time, source, target
  [
    "EVE (docs.suricata.io)",
    [
      '{"timestamp":"2017-04-07T22:24:37.251547+0100","event_type":"alert","src_ip":"192.168.2.14","src_port":50096,"dest_ip":"209.53.113.5","dest_port":80,"proto":"TCP"}',
    ],
    "2017-04-07T21:24:37.251Z",
    "192.168.2.14:50096",
    "209.53.113.5:80",
  ],
  [
    "fast.log",
    [
      "03/26/2018-20:22:37.097370  [**] [1:0:0] hit baidu.com... [**] [Classification: (null)] [Priority: 3] {TCP} 10.2.41.231:48910 -> 221.130.253.135:8080",
    ],
    "2018-03-26T20:22:37.097Z",
    "10.2.41.231:48910",
    "221.130.253.135:8080",
  ],
  [
    "Zeek conn.log",
    [
      "#separator \\x09",
      "#fields\tts\tuid\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\tproto",
      "1258531221.486539\tPii6cUUq1v4\t192.168.1.102\t68\t192.168.1.1\t67\tudp",
    ],
    "2009-11-18T08:00:21.486Z",
    "192.168.1.102:68",
    "192.168.1.1:67",
  ],
  [
    "ufw",
    [
      "Feb  6 16:27:08 host kernel: [71910.873115] [UFW BLOCK] IN=eth0 OUT= MAC=a6:8d:e2 SRC=77.72.85.26 DST=157.230.26.180 LEN=40 PROTO=TCP SPT=42772 DPT=3194 WINDOW=1024 SYN URGP=0",
    ],
    "2026-02-06T16:27:08.000Z",
    "77.72.85.26:42772",
    "157.230.26.180:3194",
  ],
  [
    "AWS VPC",
    [
      "2 123456789010 eni-1235b8ca123456789 172.31.16.139 172.31.16.21 20641 22 6 20 4249 1418530010 1418530070 ACCEPT OK",
    ],
    "2014-12-14T04:06:50.000Z",
    "172.31.16.139:20641",
    "172.31.16.21:22",
  ],
  [
    "GCP VPC",
    [
      '{"jsonPayload":{"connection":{"src_ip":"10.0.0.1","src_port":40000,"dest_ip":"203.0.113.9","dest_port":22,"protocol":6},"start_time":"2026-11-27T01:02:03Z"}}',
    ],
    "2026-11-27T01:02:03.000Z",
    "10.0.0.1:40000",
    "203.0.113.9:22",
  ],
  [
    "nfdump",
    [
      "ts,te,td,sa,da,sp,dp,pr",
      "2026-11-27 01:02:03,2026-11-27 01:02:04,1.000,10.0.0.1,203.0.113.9,40000,22,TCP",
    ],
    "2026-11-27T01:02:03.000Z",
    "10.0.0.1:40000",
    "203.0.113.9:22",
  ],
  [
    "CEF",
    [
      "CEF:0|Trellix|Endpoint Security|10.7|1092|Threat detected and blocked|8|rt=1795741323000 src=192.0.2.10 dst=198.51.100.20 spt=51234 dpt=445 act=blocked",
    ],
    "2026-11-26T23:42:03.000Z".replace(
      "2026-11-26T23:42:03.000Z",
      new Date(1795741323000).toISOString(),
    ),
    "192.0.2.10:51234",
    "198.51.100.20:445",
  ],
  [
    "CEF with a zone",
    [
      "CEF:0|A|B|1|2|C|8|rt=Nov 26 2026 23:42:03.250 UTC src=192.0.2.10 dst=198.51.100.20 spt=51234 dpt=445",
    ],
    "2026-11-26T23:42:03.250Z",
    "192.0.2.10:51234",
    "198.51.100.20:445",
  ],
  [
    "CSV with semicolons",
    [
      "Start Time;Src IP;Src Port;Dst IP;Dst Port",
      "2026-11-27 01:02:03;10.0.0.1;40000;203.0.113.9;22",
    ],
    "2026-11-27T01:02:03.000Z",
    "10.0.0.1:40000",
    "203.0.113.9:22",
  ],
  [
    "pflog, IPv6",
    [
      "2026-11-27 01:02:03.5 rule 3/0(match): block out on em0: IP6 2001:db8::1.40000 > 2001:db8::2.22: Flags [S]",
    ],
    "2026-11-27T01:02:03.500Z",
    "2001:db8::1:40000",
    "2001:db8::2:22",
  ],
  [
    "pflog",
    [
      "2026-11-27 01:02:03.5 rule 3/0(match): block out on em0: 10.0.0.1.40000 > 203.0.113.9.22: Flags [S]",
    ],
    "2026-11-27T01:02:03.500Z",
    "10.0.0.1:40000",
    "203.0.113.9:22",
  ],
] as const;
for (const [what, lines, at, source, target] of CASES) {
  test(`${what} is read`, () => {
    const read = createLineReader(NOW);
    const [alert] = lines.map((text, n) => read(text, n + 1)).slice(-1);
    assert.ok(alert !== undefined && "fromMs" in alert, JSON.stringify(alert));
    const end = (one: typeof alert.source) => one && `${one.address}:${one.port}`;
    assert.deepEqual(
      [new Date(alert.fromMs).toISOString(), end(alert.source), end(alert.target)],
      [at, source, target],
    );
    assert.equal(alert.isYearInferred, what === "ufw" ? true : undefined);
  });
}

test("INV-228: no first line with a comma is taken for a header", () => {
  const read = createLineReader(NOW);
  const says = (text: string, line: number) => JSON.stringify(read(text, line));
  assert.match(
    says("Nov 27 01:02:03 fw: blocked 10.0.0.1, to 203.0.113.9", 1),
    /no header came before/,
  );
  // Nor what a run could have said in a column, behind a true one.
  assert.equal(read("time,dst,sni", 2), undefined);
  assert.match(says("time,dst,host", 3), /not a time/);
  assert.match(says("2026-11-27T01:02:03Z,203.0.113.9,a.example", 4), /"line":4,"fromMs"/);
});

test("INV-228: what cannot be read is told with its line and why", () => {
  const read = createLineReader(NOW);
  for (const text of [
    "nonsense",
    "{",
    "[12.3] IN= OUT=eth0 SRC=1.2.3.4 DST=5.6.7.8 SPT=1 DPT=2",
    '{"timestamp":"yesterday","dest_ip":"1.2.3.4"}',
    '{"timestamp":"2026-01-01T00:00:00Z","dest_ip":"x"}',
    "a".repeat(2 ** 21),
    '[{"timestamp":"2026-01-01T00:00:00Z","dest_ip":"1.2.3.4"}]',
    "2 123456789010 eni-1235b8ca123456789 - - - - - - - 1431280876 1431280934 - SKIPDATA",
  ]) {
    const one = read(text, 7);
    assert.ok(one !== undefined && "why" in one && one.line === 7, text.slice(0, 40));
  }
});

test("an AWS line that says that nothing passed is no line to look for", () => {
  const line = "2 123456789010 eni-1235b8ca123456789 - - - - - - - 1431280876 1431280934 - NODATA";
  assert.equal(createLineReader(NOW)(line, 1), undefined);
});
