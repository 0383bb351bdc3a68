/**
 * From captured messages to flows, in memory that is bounded however long the capture is: where there are too
 * many at once, the one that has been quiet longest is handed out as it is.
 *
 * @module
 */
import { TCP_FLAG, type Segment } from "../../wire/index.ts";
import { FlowWatch, type End, type FlowSeen, type Side } from "./flow-seen.ts";
import { TcpStream } from "./tcp-stream.ts";

const FLOWS_MAX = 65_536;
const KEPT_BYTES_MAX = 67_108_864; // 64 MiB of first bytes and waiting segments.

interface Entry {
  readonly watch: FlowWatch;
  /** The client's end, as in a key. */
  readonly client: string;
  readonly streams: Readonly<Record<Side, TcpStream>> | undefined;
  /** The client's first sequence number, where its first segment was seen. */
  readonly first: number | undefined;
  kept: number;
}

export interface FlowTableOptions {
  /** Takes each flow once, when it is over. */
  readonly done: (flow: FlowSeen) => void;
  readonly flowsMax?: number;
  readonly keptBytesMax?: number;
}

export interface FlowTable {
  take(segment: Segment): void;
  /** Hands out what is left. */
  end(): void;
}

export function createFlowTable(options: FlowTableOptions): FlowTable {
  const { done, flowsMax = FLOWS_MAX, keptBytesMax = KEPT_BYTES_MAX } = options;
  const entries = new Map<string, Entry>();
  let kept = 0;

  const finish = (key: string, entry: Entry) => {
    entries.delete(key);
    kept -= entry.kept;
    done(entry.watch.seen());
  };

  return {
    take(segment) {
      const source = endKey(segment.source, segment.sourcePort);
      const destination = endKey(segment.destination, segment.destinationPort);
      const ends = source < destination ? source + destination : destination + source;
      const key = segment.protocol + ends;
      let entry = entries.get(key);
      if (entry !== undefined && isAnother(segment, entry)) {
        finish(key, entry);
        entry = undefined;
      }
      entry ??= begin(segment, source, destination);
      entries.delete(key);
      entries.set(key, entry); // Last in the order of the map: most lately active.
      take(entry, segment, entry.client === source ? "client" : "server");
      const { streams } = entry;
      const now = entry.watch.kept + (streams?.client.kept ?? 0) + (streams?.server.kept ?? 0);
      kept += now - entry.kept;
      entry.kept = now;
      for (const [quietest, quiet] of entries) {
        if (entries.size <= flowsMax && kept <= keptBytesMax) break;
        finish(quietest, quiet);
      }
    },
    end() {
      for (const [key, entry] of entries) finish(key, entry);
    },
  };
}

function endKey(address: Buffer, port: number): string {
  return address.toString("latin1") + String.fromCharCode(port);
}

/** A new connection between the same ports. */
function isAnother({ protocol, flags, sequence }: Segment, { first }: Entry): boolean {
  return protocol === "tcp" && isOpening(flags) && sequence !== first;
}

function isOpening(flags: number): boolean {
  return (flags & (TCP_FLAG.syn | TCP_FLAG.ack)) === TCP_FLAG.syn;
}

function begin(segment: Segment, source: string, destination: string): Entry {
  const { protocol, atMs, flags } = segment;
  const from: End = { address: addressText(segment.source), port: segment.sourcePort };
  const to: End = { address: addressText(segment.destination), port: segment.destinationPort };
  const isFromServer = comesFromServer(segment);
  const [client, server] = isFromServer ? [to, from] : [from, to];
  return {
    watch: new FlowWatch({ protocol, client, server, startMs: atMs }),
    client: isFromServer ? destination : source,
    streams: protocol === "tcp" ? { client: new TcpStream(), server: new TcpStream() } : undefined,
    first: protocol === "tcp" && isOpening(flags) ? segment.sequence : undefined,
    kept: 0,
  };
}

const WELL_KNOWN_PORTS = 1024;
const ECHO_REPLY: ReadonlySet<number | undefined> = new Set([0, 129]);

/** Where the beginning was not captured, a well-known port is the server's. */
function comesFromServer({
  protocol,
  flags,
  payload,
  sourcePort,
  destinationPort,
}: Segment): boolean {
  if (protocol === "icmp") return ECHO_REPLY.has(payload[0]);
  if (protocol === "tcp" && (flags & TCP_FLAG.syn) !== 0) return (flags & TCP_FLAG.ack) !== 0;
  return sourcePort < WELL_KNOWN_PORTS && destinationPort >= WELL_KNOWN_PORTS;
}

function take({ watch, streams }: Entry, segment: Segment, from: Side): void {
  const { payload, payloadBytes, atMs } = segment;
  if (streams === undefined) {
    watch.push(from, payload, atMs, payloadBytes);
    return;
  }
  streams[from].take(
    segment,
    (bytes, at, wireBytes) => watch.push(from, bytes, at, wireBytes),
    () => watch.lose(from),
  );
}

/** "192.0.2.1", or IPv6 with its longest run of zeros left out (RFC 5952). */
function addressText(bytes: Buffer): string {
  if (bytes.length === 4) return bytes.join(".");
  const words = Array.from({ length: 8 }, (_, n) => bytes.readUInt16BE(n * 2).toString(16));
  const text = words.join(":");
  const runs = [...text.matchAll(/(?<![^:])0(?::0)+(?![^:])/g)].map(([run]) => run);
  const longest = runs.reduce((best, run) => (run.length > best.length ? run : best), "");
  if (longest === "") return text;
  const at = text.search(new RegExp(`(?<![^:])${longest}(?![^:])`));
  return `${text.slice(0, at).replace(/:$/, "")}::${text.slice(at + longest.length).replace(/^:/, "")}`;
}
