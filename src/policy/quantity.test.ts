import assert from "node:assert/strict";
import { test } from "node:test";
import { parseDial, printDial } from "./dial.ts";
import { parseExpiryMs } from "./expiry.ts";
import { nearestWord } from "../yaml/index.ts";
import { parseBytes, parseDurationMs, printBytes, printDuration } from "../base/index.ts";

const DURATIONS = [
  ["30s", 30_000, "30 seconds"],
  ["15m", 900_000, "15 minutes"],
  ["2h", 7_200_000, "2 hours"],
  ["1d", 86_400_000, "1 day"],
  ["90m", 5_400_000, "90 minutes"],
] as const;
for (const [text, ms, words] of DURATIONS) {
  test(`${text} is ${ms} ms, said as ${words}`, () => {
    assert.equal(parseDurationMs(text), ms);
    assert.equal(printDuration(ms), words);
  });
}

const NO_DURATIONS = [
  ["2 hours", /write .* 2h$/, "the hint is what was meant"],
  ["2H", /2h$/, "units are lower case"],
  ["90min", /90m$/, "units are one letter"],
  ["2", /2h$/, "a bare number has no unit"],
  ["0h", /2h$/, "nothing is no duration"],
  ["-1h", /2h$/, "nor is less than nothing"],
  ["1.5h", /2h$/, "whole numbers only"],
  ["1h30m", /2h$/, "one number, one unit"],
  ["9999999999d", /2h$/, "more digits than mean anything"],
  ["2h\n", /2h$/, "a line end is not part of it"],
  ["", /2h$/, "empty"],
] as const;
for (const [text, hint, why] of NO_DURATIONS) {
  test(`fault policy.duration for ${JSON.stringify(text)}: ${why}`, () => {
    assert.throws(() => parseDurationMs(text), { code: "policy.duration", hint });
  });
}

const SIZES = [
  ["512KiB", 524_288, "512 KiB"],
  ["4GiB", 4_294_967_296, "4 GiB"],
  ["1024MiB", 1_073_741_824, "1 GiB"],
  ["1TiB", 1_099_511_627_776, "1 TiB"],
] as const;
for (const [text, bytes, words] of SIZES) {
  test(`${text} is ${bytes} bytes, said as ${words}`, () => {
    assert.equal(parseBytes(text), bytes);
    assert.equal(printBytes(bytes), words);
  });
}

const NO_SIZES = [
  ["4GB", /4GiB$/, "4.0 or 4.3 thousand million bytes?"],
  ["4G", /4GiB$/, "the same"],
  ["4 gib", /4GiB$/, "one spelling"],
  ["4096", /4GiB$/, "a bare number has no unit"],
  ["0GiB", /4GiB$/, "nothing"],
  ["1.5GiB", /4GiB$/, "whole numbers only"],
] as const;
for (const [text, hint, why] of NO_SIZES) {
  test(`fault policy.bytes for ${JSON.stringify(text)}: ${why}`, () => {
    assert.throws(() => parseBytes(text), { code: "policy.bytes", hint });
  });
}

const DIALS = [
  ["127.0.0.1:8443", "127.0.0.1:8443", "loopback is allowed, only so"],
  ["[::1]:80", "[::1]:80", "IPv6 in brackets"],
  ["[FD00::1]:80", "[fd00::1]:80", "one case"],
  ["localhost:80", undefined, "a name would have to be resolved"],
  ["127.0.0.1", undefined, "no port"],
  ["127.0.0.1:0", undefined, "port 0 is none"],
  ["127.0.0.1:70000", undefined, "no such port"],
  ["127.1:80", undefined, "one notation"],
  ["0177.0.0.1:80", undefined, "octal is another address to others"],
  ["0.0.0.0:80", undefined, "Linux takes it for loopback, which it does not say"],
  ["[::]:80", undefined, "the same"],
  ["224.0.0.1:80", undefined, "multicast"],
  ["[ff02::1]:80", undefined, "multicast"],
  ["[::ffff:10.0.0.1]:80", undefined, "IPv4 in disguise"],
  ["[::ffff:a00:1]:80", undefined, "the same in hexadecimal"],
  ["[fe80::1%eth0]:80", undefined, "a zone means something here only"],
] as const;
for (const [text, printed, why] of DIALS) {
  test(`dial ${text} is ${printed ?? "refused"}: ${why}`, () => {
    const dial = parseDial(text);
    assert.equal(dial && printDial(dial), printed);
  });
}

const EXPIRIES = [
  ["2026-12-31", "2027-01-01T00:00:00.000Z", "the whole day counts"],
  ["2026-12-31T12:00:00Z", "2026-12-31T12:00:00.000Z", "an instant"],
  ["2026-12-31T12:00:00.5Z", "2026-12-31T12:00:00.500Z", "a fraction"],
  ["2026-02-30", undefined, "there is no such day"],
  ["2026-13-01", undefined, "there is no such month"],
  ["2026-12-31T25:00:00Z", undefined, "there is no such hour"],
  ["2026-12-31T12:00:00", undefined, "no zone: local time is somebody's"],
  ["2026-12-31T12:00:00+01:00", undefined, "one zone"],
  ["31.12.2026", undefined, "one notation"],
] as const;
for (const [text, end, why] of EXPIRIES) {
  test(`${text} ends at ${end ?? "no time"}: ${why}`, () => {
    const endMs = parseExpiryMs(text);
    assert.equal(endMs === undefined ? undefined : new Date(endMs).toISOString(), end);
  });
}

test("the nearest word is what was probably meant, or nothing", () => {
  const words = ["grants", "purpose", "home", "task"];
  assert.equal(nearestWord("garnts", words), "grants");
  assert.equal(nearestWord("Grant", words), "grants");
  assert.equal(nearestWord("tusk", words), "task");
  assert.equal(nearestWord("network", words), undefined);
  assert.equal(nearestWord("x".repeat(10_000), words), undefined);
});
