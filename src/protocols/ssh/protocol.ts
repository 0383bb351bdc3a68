/**
 * SSH as a session protocol (RFC 4254; SFTP version 3, draft-ietf-secsh-filexfer-02, with OpenSSH's extensions).
 *
 * @module
 */
import { createHash } from "node:crypto";
import type { Effect, Json } from "../../action/index.ts";
import type { Described, Protocol, Surroundings, VerbInfo } from "../protocol.ts";
import { loadGrammar } from "./command-line.ts";
import { meaningOf } from "./describe-command.ts";
import { describeGit, GIT_VERBS, samplePushOf } from "./describe-git.ts";
import { meaningOfFile, printAttributes } from "./describe-file.ts";
import { operationOfText, operationSchema, type FileOperation } from "./operation.ts";
import { optionsSchema } from "./options.ts";
import { TEMPLATE } from "./template.ts";

const EXECUTES: readonly Effect[] = ["execute", "administer", "delete", "send"];
const UNKNOWN: readonly Effect[] = ["execute", "administer", "delete", "send", "publish", "spend"];
const PREVIEW_CHARS = 20_000;
const SUMMARY_CHARS = 300;
const CONVERSATION =
  "all that is sent in it: a yes lets this command begin, once, and nobody sees what it then transfers";

const paths = (effects: readonly Effect[], summary: string): VerbInfo => ({
  effects,
  summary,
  separator: "/",
});

const VERBS: Readonly<Record<string, VerbInfo>> = {
  session: { effects: ["read"], summary: "Log in, and keep the connection going." },
  exec: {
    effects: ["read", "read-private", ...EXECUTES],
    summary: "Run one plain command with these words: `systemctl status *`.",
  },
  script: {
    effects: EXECUTES,
    summary: "Run shell text, or a command that runs what it is told: sh -c, env, find -exec.",
    separator: "",
  },
  shell: {
    effects: EXECUTES,
    summary: "Open an interactive shell, which is recorded.",
    separator: "",
  },
  "sftp.list": paths(["read"], "List a folder, look at a file's size and times."),
  "sftp.read": paths(["read-private", "administer"], "Read a file."),
  "sftp.write": paths(["write", "execute", "administer"], "Write a file."),
  "sftp.delete": paths(["delete", "execute", "administer"], "Delete a file or an empty folder."),
  "sftp.rename": paths(["write", "execute", "administer"], "Rename or replace a file: both paths."),
  "sftp.mkdir": paths(["write", "execute", "administer"], "Make a folder."),
  "sftp.setstat": paths(["write", "execute", "administer"], "Set mode, owner, size or times."),
  "sftp.link": paths(["write", "execute", "administer"], "Make a link: both paths."),
  "scp.read": paths(["read-private"], "Send what lies at a path (scp -O)."),
  "scp.write": paths(["write", "execute", "administer"], "Receive files below a path (scp -O)."),
  "rsync.read": paths(["read-private"], "Send what lies at a path (rsync)."),
  "rsync.write": paths(
    ["write", "execute", "delete", "administer"],
    "Receive files below a path (rsync).",
  ),
  ...GIT_VERBS,
};

/** Nobody's: a well-formed key for `explain`. */
const EXAMPLE_KEY =
  "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/** SSH. */
export const sshProtocol: Protocol = {
  system: "ssh",
  title: "SSH servers",
  docs: [
    "RFC 4251 to 4254: the SSH protocol",
    "draft-ietf-secsh-filexfer-02: SFTP version 3",
    "OpenSSH PROTOCOL and PROTOCOL.certkeys",
  ],
  ports: [22],
  verbs: VERBS,
  object: { separator: " ", form: "program word word; of files /folder/file" },
  options: optionsSchema,
  example: { host_key: EXAMPLE_KEY },
  unknown: UNKNOWN,
  load: loadGrammar,
  describe,
  operationOf: operationOfText,
  sampleOf: samplePushOf,
  template: TEMPLATE,
};

function describe(operation: Json, surroundings: Surroundings): Described {
  const place = `ssh://${surroundings.host}${surroundings.port === 22 ? "" : `:${surroundings.port}`}`;
  const { data } = operationSchema.safeParse(operation);
  if (data === undefined) return unknown(place, "what was asked for is no operation of SSH");
  switch (data.op) {
    case "exec":
      return describeCommand(place, data.command, data.pty === true, surroundings);
    case "shell":
      return {
        verb: "shell",
        effects: EXECUTES,
        target: `${place} shell`,
        summary: `Open an interactive shell at ${surroundings.host}`,
        fields: { ...(data.term === undefined ? {} : { term: data.term }) },
        parts: [{ verb: "shell", effects: [...EXECUTES], object: [""] }],
        impact: { reversible: false },
      };
    case "session":
      return {
        verb: "session",
        effects: ["read"],
        target: place,
        summary: `Keep the session at ${surroundings.host}: ${data.what}`,
        fields: { what: data.what },
      };
    case "sftp":
      return describeFile(place, data, surroundings);
    default:
      return unknown(place, `the subsystem ${JSON.stringify(data.name)} is not known`);
  }
}

function unknown(place: string, why: string): Described {
  return {
    verb: "unknown",
    effects: UNKNOWN,
    target: place,
    summary: `Not understood: ${why}`,
    fields: { why },
  };
}

function describeCommand(
  place: string,
  command: string,
  isInteractive: boolean,
  surroundings: Surroundings,
): Described {
  const { host, body } = surroundings;
  const { parts, sent, why, transfer, refusal } = meaningOf(command, isInteractive);
  if (refusal !== undefined) return unknown(place, refusal);
  if (transfer?.tool === "git") {
    const described = describeGit(place, transfer, sent, surroundings);
    return "unread" in described ? unknown(place, described.unread) : described;
  }
  const effects = union(parts.map((part) => part.effects));
  const [first] = parts;
  const isOne = parts.every(({ verb }) => verb === first?.verb);
  const verb = isOne ? (first?.verb ?? "script") : "script";
  const what = `${sent.slice(0, SUMMARY_CHARS)}${sent.length > SUMMARY_CHARS ? "..." : ""}`;
  return {
    verb,
    effects,
    target: `${place} ${transfer === undefined ? (first?.object[0] ?? "").slice(0, 200) : transfer.paths.join(" ")}`,
    summary: `Run at ${host}: ${what}`,
    fields: {
      command: sent,
      ...(sent === command ? {} : { asked: command }),
      ...(why === undefined ? {} : { script: why }),
      ...(isInteractive ? { terminal: true } : {}),
      ...(transfer === undefined ? {} : { conversation: CONVERSATION }),
      ...contentOf(body, "input"),
    },
    parts: parts.map((part) => ({
      verb: part.verb,
      effects: [...part.effects],
      object: [...part.object],
    })),
    impact: {
      reversible: !effects.some((effect) => effect !== "read" && effect !== "read-private"),
    },
  };
}

function describeFile(
  place: string,
  operation: FileOperation,
  { host, body }: Surroundings,
): Described {
  const meaning = meaningOfFile(operation);
  if (meaning === undefined) return unknown(place, "a path is not absolute and resolved");
  const { verb, parts, summary, isReversible } = meaning;
  const { path, to, target, asked, attributes, mode } = operation;
  return {
    verb,
    effects: union(parts.map((part) => part.effects)),
    target: `${place}${path}`,
    summary: `${summary} at ${host}`,
    fields: {
      path,
      ...(to === undefined ? {} : { to }),
      ...(asked === undefined ? {} : { asked }),
      ...(mode === undefined ? {} : { mode }),
      ...(target === undefined ? {} : { target }),
      ...(attributes === undefined ? {} : { attributes: printAttributes(attributes) }),
      ...(operation.do === "write" ? contentOf(body, "content") : {}),
    },
    parts: parts.map((part) => ({
      verb: part.verb,
      effects: [...part.effects],
      object: [...part.object],
    })),
    impact: { reversible: isReversible },
  };
}

/** Size, hash and text of what belongs to an operation. */
function contentOf(body: Uint8Array | undefined, name: string): Record<string, Json> {
  if (body === undefined) return {};
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  const sha256 = createHash("sha256").update(bytes).digest("hex");
  const text = textOf(bytes);
  return {
    [name]: {
      bytes: bytes.length,
      sha256,
      ...(text === undefined ? {} : { text: text.slice(0, PREVIEW_CHARS) }),
      ...(text !== undefined && text.length > PREVIEW_CHARS ? { isCut: true } : {}),
    },
  };
}

function textOf(bytes: Buffer): string | undefined {
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    return text.includes("\0") ? undefined : text;
  } catch {
    return undefined;
  }
}

function union(all: readonly (readonly Effect[])[]): readonly Effect[] {
  const effects = new Set(all.flat());
  if (effects.has("execute")) effects.delete("read");
  return [...effects];
}
