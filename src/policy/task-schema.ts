/**
 * The shape of a task file, as zod and as JSON Schema. What one value alone cannot tell (a rule that
 * an earlier one covers, say) stands in task-checks.ts.
 *
 * @module
 */
import { z } from "zod";
import { EFFECTS, FINDING_KINDS, type Json } from "../action/index.ts";
import { parseHostPattern } from "./host-pattern.ts";
import { parsePathGlob } from "./path-glob.ts";
import {
  bytesSchema,
  dialSchema,
  durationSchema,
  expirySchema,
  listOf,
  methodSchema,
  nameSchema,
  parsed,
  proxySchema,
  publishedSchema,
  sentenceSchema,
  someOf,
  variableSchema,
  credentialSchema,
  verbPatternSchema,
} from "./task-values.ts";

// How much a task file may hold. All are counts unless a unit says otherwise.
const GRANTS_MAX = 100;
const HOSTS_MAX = 100;
const PORTS_MAX = 100;
const RULES_MAX = 100;
const METHODS_MAX = 20;
const VERBS_MAX = 200;
const PATHS_MAX = 100;
const NAMES_MAX = 100;
const OBJECTS_MAX = 200;
const CREDENTIALS_MAX = 5; // To choose from, and variables that hold the chosen one.
const UNATTENDED_MAX = 10_000;
const PER_MS_MIN = 60_000;
const PER_MS_MAX = 30 * 864e5;
const LIFETIME_MS_MIN = 1000;
const LIFETIME_MS_MAX = 30 * 864e5; // A month: longer is a service, not a task.
const CPUS_MAX = 4096;
const MEMORY_BYTES_MIN = 16 * 2 ** 20; // Below, not even a shell starts reliably.
const MEMORY_BYTES_MAX = 64 * 2 ** 40;
const PIDS_MIN = 8;
const PIDS_MAX = 4_194_304; // PID_MAX_LIMIT of 64-bit Linux.
const DISK_BYTES_MIN = 2 ** 20;
const RECORDINGS_BYTES_MIN = 64 * 2 ** 10; // Below, not even what a login prints.
const RECORDINGS_BYTES_MAX = 2 * 2 ** 30; // All that recordings of a home may take.
const DISK_BYTES_MAX = 1024 * 2 ** 40;
const GPU_INDEX_MAX = 255;
/** A compute instance of a GPU instance of a GPU (NVIDIA MIG). */
const GPU_PART = /^\d{1,3}\/gi\d{1,2}\/ci\d{1,2}$/;
const GPU_SECONDS_MAX = 1e9;
const PUBLISHED_MAX = 20;

/**
 * Protocols (as src/wire names first bytes) that no opaque connection may speak unless its grant names
 * them: tunnels, mining, shells, and TLS, for which `splice` is the narrower grant.
 */
export const GATED_PROTOCOLS = [
  "ssh",
  "tls",
  "socks",
  "openvpn",
  "wireguard",
  "tunnel",
  "shell",
  "stratum",
  "crypto-p2p",
] as const;
export type GatedProtocol = (typeof GATED_PROTOCOLS)[number];

/** Mildest first. */
export const RESPONSES = [
  "record", // nothing but the record
  "alert", // those who decide are told
  "confirm-all", // whatever changes something waits for a person from now on
  "cut", // every established flow is cut
  "revoke", // grants with a credential are taken back, and what was minted is revoked
  "pause", // the run is frozen, and what it was doing is kept
  "pause-lineage", // and so is every run of its job; where it has none, of its agent
  "kill",
] as const;
/** What a finding does to the run. */
export type Response = (typeof RESPONSES)[number];

const unattendedSchema = z
  .strictObject({
    count: z.int().min(1).max(UNATTENDED_MAX).meta({
      description: "How many such actions in one run may pass without a person.",
    }),
    per: durationSchema(PER_MS_MIN, PER_MS_MAX).optional().meta({
      description: "The count is for each such time, not for the whole run: 1h, 1d.",
    }),
    reason: sentenceSchema.meta({
      description: "Why no person is needed; shown to whoever reads the file.",
    }),
    expires: expirySchema.meta({
      description: "Last day (UTC) or instant on which this holds; at most a year ahead.",
    }),
  })
  .meta({
    description:
      "Lets actions that would wait for a person pass without one. Needs a limit, a reason and an end.",
  });

export const ruleSchema = z
  .strictObject({
    methods: someOf(methodSchema, METHODS_MAX).optional().meta({
      description:
        "HTTP methods, in upper case: [GET, HEAD]. Required for http, and for http only.",
    }),
    paths: someOf(parsed(parsePathGlob), PATHS_MAX).optional().meta({
      description:
        'Globs over the path without its query: * within one segment, ** across segments; ["/**"] is every path. Required for http, and for http only.',
    }),
    verbs: someOf(verbPatternSchema, VERBS_MAX).optional().meta({
      description:
        'Of a system of the catalog: what may be asked, by its verbs: [post.list, "post.*"]; ["*"] is every verb but unknown. `cofferdam catalog` lists them.',
    }),
    on: someOf(z.string().min(1).max(1000), OBJECTS_MAX).optional().meta({
      description:
        'Of a system that says what is acted on (tables, commands, paths, keys, refs): the rule covers these only: [public.orders], ["systemctl status *"]. * is within one segment, ** any number of them.',
    }),
    doing: someOf(z.enum(EFFECTS), EFFECTS.length).optional().meta({
      description:
        "Of a system of the catalog: the rule covers only what does nothing but these: [read, write].",
    }),
    effects: someOf(z.enum(EFFECTS), EFFECTS.length).optional().meta({
      description:
        "What these requests do. Default by method: GET, HEAD, OPTIONS read; POST, PUT, PATCH write; DELETE delete; others administer.",
    }),
    unattended: unattendedSchema.optional(),
    websocket: z.literal(true).optional().meta({
      description:
        "true: these paths may also be opened as a WebSocket, of which each message's beginning is judged. That counts as write, unless effects says otherwise.",
    }),
    opaque: z.literal(true).optional().meta({
      description:
        "true: a WebSocket of this rule may carry binary messages that nobody here understands. Without it they are closed and named.",
    }),
  })
  .meta({
    description: "Requests that this grant lets through. The first rule that matches decides.",
  });

export const grantSchema = z
  .strictObject({
    system: z
      .string()
      .regex(/^[a-z][a-z0-9-]{1,40}$/)
      .meta({
        description:
          "Kind of system. One of the catalog (wordpress, github, ...; `cofferdam catalog` lists them): what each request does is known. http: each request is judged by method and path. tcp: connections whose content nobody judges; needs splice or opaque.",
      }),
    name: nameSchema
      .refine((text) => text !== "none", {
        error: "is reserved",
        params: { hint: "choose another name" },
      })
      .meta({
        description: "What this system is called in the log; unique in the file.",
      }),
    hosts: someOf(parsed(parseHostPattern), HOSTS_MAX).optional().meta({
      description:
        "Host names: api.example.com, or *.example.com for every name below example.com but not itself. Never addresses. May be left out where the catalog knows them.",
    }),
    under: z
      .string()
      .regex(/^(\/[A-Za-z0-9._~-]+){1,10}$/)
      .optional()
      .meta({ description: "Of a system of the catalog: where it lives below its hosts: /blog." }),
    credential: z
      .union([credentialSchema, someOf(credentialSchema, CREDENTIALS_MAX)])
      .optional()
      .meta({
        description:
          "What its requests are sent with, and the run never holds: a name in the vault (`cofferdam credential add`), or $NAME, a variable of yours that stays outside. Of a list the first that there is, or none.",
      }),
    ports: someOf(z.int().min(1).max(65_535), PORTS_MAX).optional().meta({
      description:
        "TCP ports of these hosts. Default: 443, or the usual ones of a system that is no web service.",
    }),
    tls: z.boolean().optional().meta({
      description:
        "true: TLS, ended and judged by the gateway, plain bytes refused. false: plain HTTP, TLS refused. Default: true, but false where ports is [80].",
    }),
    dial: dialSchema.optional().meta({
      description:
        "Where these hosts really are: 127.0.0.1:8443, [::1]:8443, or a socket of this machine, unix:/run/x.sock. The only way to a private or local address.",
    }),
    upstream_proxy: proxySchema.optional().meta({
      description:
        "HTTP proxy that connections to these hosts go through, by CONNECT: 10.0.0.1:3128 or proxy.example:3128. Needs TLS, so that the proxy sees nothing inside.",
    }),
    splice: z.literal(true).optional().meta({
      description:
        "true: TLS that is not ended by the gateway, so nobody sees what is inside. Only the name in its ClientHello is checked. For clients that accept no certificate but the site's own.",
    }),
    opaque: z.literal(true).optional().meta({
      description:
        "true: any TCP protocol, also one in which the server speaks first; nobody sees what is inside but its first bytes.",
    }),
    protocols: someOf(z.enum(GATED_PROTOCOLS), GATED_PROTOCOLS.length).optional().meta({
      description:
        "Of an opaque grant: protocols that are closed by name otherwise, as tunnels and mining travel by them: [ssh].",
    }),
    ca: z.string().min(1).max(4096).optional().meta({
      description:
        "File with CA certificates (PEM) to verify these hosts with; relative to the task file.",
    }),
    with: z.record(z.string().max(64), z.json()).optional().meta({
      description:
        "What is particular to this kind of system: its database, host key, limits. `cofferdam grant-template SYSTEM` shows all of it.",
    }),
    mint: z
      .union([z.literal(true), z.record(z.string().max(64), z.json())])
      .optional()
      .meta({
        description:
          "true, or what makes it narrower: when the run starts its system makes a credential for it alone, which is revoked at the end. Of systems that can: wordpress, listmonk, github.",
      }),
    variable: z
      .union([variableSchema, someOf(variableSchema, CREDENTIALS_MAX)])
      .optional()
      .meta({
        description:
          "Variables of the run in which the credential's placeholder stands, for clients that want one: ANTHROPIC_API_KEY. For $NAME: NAME, unless given.",
      }),
    pairs: someOf(nameSchema, GRANTS_MAX).optional().meta({
      description:
        "Names of other grants whose private data (read-private) may be written here without waiting for a person.",
    }),
    allow: someOf(ruleSchema, RULES_MAX).optional().meta({
      description: "What may be asked of these hosts. Required for http, and for http only.",
    }),
  })
  .meta({ description: "A system that the task may reach." });

const computeSchema = z
  .strictObject({
    cpus: z
      .number()
      .min(0.1)
      .max(CPUS_MAX)
      .optional()
      .meta({ description: "Processors: 2, or 0.5." }),
    memory: bytesSchema(MEMORY_BYTES_MIN, MEMORY_BYTES_MAX)
      .optional()
      .meta({ description: "Memory: 4GiB. Units KiB, MiB, GiB, TiB." }),
    pids: z
      .int()
      .min(PIDS_MIN)
      .max(PIDS_MAX)
      .optional()
      .meta({ description: "Processes and threads at once." }),
    disk: bytesSchema(DISK_BYTES_MIN, DISK_BYTES_MAX)
      .optional()
      .meta({ description: "What the run may write to disk: 10GiB. Units KiB, MiB, GiB, TiB." }),
    recordings: bytesSchema(RECORDINGS_BYTES_MIN, RECORDINGS_BYTES_MAX).optional().meta({
      description: "What recordings of its terminals may take: 1GiB. Then they are ended.",
    }),
    gpu: z
      .union([
        z.enum(["none", "all"]),
        someOf(
          z.union([z.int().min(0).max(GPU_INDEX_MAX), z.string().regex(GPU_PART)]),
          GPU_INDEX_MAX + 1,
        ),
      ])
      .default("none")
      .meta({
        description:
          "GPUs: none, all, or a list of their numbers: [0, 1]. A part that the hardware keeps apart (NVIDIA MIG) by its instances: [0/gi1/ci0].",
      }),
    gpu_seconds: z.int().min(1).max(GPU_SECONDS_MAX).optional().meta({
      description:
        "GPU time of the run, over all its GPUs, in seconds: 3600. Then it ends. What cannot be read counts in full.",
    }),
  })
  .meta({ description: "Limits. One that this host cannot hold refuses the start." });

const approvalsSchema = z
  .strictObject({
    hold: durationSchema(1000, 10 * 60_000)
      .default("45s")
      .meta({
        description: "How long the agent is held waiting; then it is told to ask again later.",
      }),
    expires: durationSchema(10_000, 30 * 864e5)
      .default("1d")
      .meta({ description: "After how long without an answer it is denied." }),
    undo: durationSchema(1000, 864e5).optional().meta({
      description:
        "How long an approved action that cannot be undone waits, to be taken back. Default: not at all.",
    }),
    four_eyes: listOf(z.enum(EFFECTS), EFFECTS.length)
      .default([])
      .meta({ description: "Effects that need a second, different person: [administer, spend]." }),
  })
  .meta({ description: "How a person is asked." });

const responseSchema = z.enum(RESPONSES);
const responsesSchema = z
  .union([responseSchema, someOf(responseSchema, RESPONSES.length)])
  .meta({ id: "responses" })
  .optional();

const respondSchema = z
  .strictObject(
    Object.fromEntries(FINDING_KINDS.map((kind) => [kind, responsesSchema])) as Record<
      (typeof FINDING_KINDS)[number],
      typeof responsesSchema
    >,
  )
  .meta({
    description:
      "What a finding does to the run, one or several: record, alert, confirm-all, cut, revoke, pause, pause-lineage, kill. Default: pause for sticky, record for the others.",
  });

const THRESHOLDS_MAX = 1e12;
const detectSchema = z
  .record(
    z.string().max(60),
    z.union([
      z.literal("off"),
      z.record(z.string().max(40), z.number().positive().max(THRESHOLDS_MAX)),
    ]),
  )
  .meta({
    description:
      "Detectors by name (docs/reference/detectors.md): thresholds that are other than usual, {bytes: 3000}, or off.",
  });

export const taskFileSchema = z
  .strictObject({
    task: nameSchema.meta({
      description: "Name of the task: publish-docs.",
    }),
    purpose: sentenceSchema.meta({ description: "What the task is for, in one sentence." }),
    workspace: z.enum(["overlay", "read-only"]).default("overlay").meta({
      description: "overlay: changes are kept aside until you apply them. read-only: no changes.",
    }),
    home: z.enum(["keep", "fresh"]).default("keep").meta({
      description: "The run's private home folder: keep it for the next run here, or start fresh.",
    }),
    lifetime: durationSchema(LIFETIME_MS_MIN, LIFETIME_MS_MAX)
      .default("8h")
      .meta({ description: "When the run ends at the latest: 30s, 15m, 2h, 1d." }),
    compute: computeSchema.prefault({}),
    environment: listOf(variableSchema, NAMES_MAX).default([]).meta({
      description: "Names of environment variables that pass in. Nothing else does.",
    }),
    grants: listOf(grantSchema, GRANTS_MAX)
      .default([])
      .meta({ description: "What the task may reach. None: nothing." }),
    approvals: approvalsSchema.prefault({}),
    publish: listOf(publishedSchema, PUBLISHED_MAX).default([]).meta({
      description:
        "Ports of this machine's loopback that lead into the run: 3000, or 3000:8080 for port 3000 here and 8080 inside.",
    }),
    restart: z.enum(["never", "on-failure"]).default("never").meta({
      description: "Whether the command starts again when it fails.",
    }),
    respond: respondSchema.prefault({}),
    detect: detectSchema.default({}),
  })
  .meta({
    title: "Cofferdam task file",
    description: "What one task of an agent may reach and use.",
  });

/** A task file as zod leaves it: defaults filled in, nothing converted. */
export type TaskSource = z.output<typeof taskFileSchema>;
export type GrantSource = z.output<typeof grantSchema>;
export type RuleSource = z.output<typeof ruleSchema>;

/** JSON Schema (2020-12) of the task file, for editors. It knows less than the parser. */
export function taskFileJsonSchema(): Json {
  return z.toJSONSchema(taskFileSchema, { io: "input", unrepresentable: "throw" }) as Json;
}
