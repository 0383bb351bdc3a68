/**
 * The server's side: one connection, whose host key is a pinned one before anything is said on it, logged in
 * with what was leased.
 *
 * @module
 */
import { timingSafeEqual } from "node:crypto";
import type { AnyAuthMethod, ClientChannel, ConnectConfig } from "ssh2";
import ssh2 from "ssh2";
import { describeError, Fault } from "../../../base/index.ts";
import { optionsSchema, pinnedKeys } from "../../../protocols/index.ts";
import type { Lease } from "../../../vault/index.ts";
import type { Place, Way } from "../broker.ts";
import { ALGORITHMS, hostKeyAlgorithms, needsStrictKeys } from "./algorithms.ts";
import { readPrivateKey } from "./private-key.ts";
import { hasStrictKeys, useCertificate, watchChannels } from "./ssh2-internals.ts";

const KEEPALIVE_MS = 15_000;
const KEEPALIVES_MAX = 4;
const LOGIN_MS = 20_000;
const IDENT = "Cofferdam"; // No version of anything: it is sent to whoever asks.

/** What is started on the server. */
export interface StartOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly pty?: ssh2.PseudoTtyOptions | undefined;
}

/** How something ended that ran on the server; neither where the server did not say. */
export interface Exit {
  readonly exit?: number | undefined;
  readonly signal?: string | undefined;
}

/** Something that runs on the server. */
export interface Started {
  readonly channel: ClientChannel;
  /** Resolves when the channel is closed. */
  readonly ended: Promise<Exit>;
}

/** A connection that is logged in. */
export interface Upstream {
  exec(command: string, options?: StartOptions): Promise<Started>;
  shell(options: StartOptions): Promise<Started>;
  sftp(): Promise<ClientChannel>;
  /** Resolves when the connection is over, with why. */
  readonly closed: Promise<string>;
  close(): void;
}

/**
 * Logs in over `way`. The socket belongs to the upstream from here on, and is closed where this fails.
 *
 * @throws {Fault} `ssh.host_key`, `ssh.credential`, `ssh.upstream`
 */
export async function logIn(place: Place, way: Way): Promise<Upstream> {
  const client = new ssh2.Client();
  const closed = Promise.withResolvers<string>();
  let why = "the server closed the connection";
  client.on("error", (error: Error) => {
    why = describeError(error);
  });
  client.once("close", () => closed.resolve(why));
  // ssh2 tells the end of a socket that it was given, but not of one that ended before: nobody would hear of it.
  way.socket.once("close", () => closed.resolve(why));
  if (way.socket.closed) closed.resolve(why);
  try {
    await handshake(client, place, way, closed.promise);
  } catch (error) {
    client.destroy();
    way.socket.destroy();
    throw error;
  }
  const start = (begin: (done: ssh2.ClientCallback) => void) => startChannel(begin, closed.promise);
  return {
    exec: (command, { env = {}, pty } = {}) =>
      start((done) => client.exec(command, { env, ...(pty === undefined ? {} : { pty }) }, done)),
    shell: ({ env = {}, pty }) => start((done) => client.shell(pty ?? false, { env }, done)),
    sftp: async () => (await start((done) => client.subsys("sftp", done))).channel,
    closed: closed.promise,
    close() {
      client.end();
      way.socket.destroySoon();
    },
  };
}

async function handshake(
  client: ssh2.Client,
  place: Place,
  { socket, lease }: Way,
  closed: Promise<string>,
): Promise<void> {
  const parsed = optionsSchema.safeParse(place.options);
  if (!parsed.success) throw new Fault("ssh.host_key", "the grant pins no host key");
  const keys = pinnedKeys(parsed.data);
  const login = loginOf(lease, parsed.data.user);
  let fault: Fault | undefined;
  const ready = new Promise<void>((resolve) => client.once("ready", resolve));
  client.on("handshake", (negotiated) => {
    if (needsStrictKeys(negotiated) && !hasStrictKeys(client)) {
      fault = new Fault(
        "ssh.upstream",
        `${place.host} offers no connection that Terrapin leaves alone`,
      );
      socket.destroy();
    }
  });
  const config: ConnectConfig = {
    sock: socket,
    username: login.user,
    ident: IDENT,
    algorithms: { ...ALGORITHMS, serverHostKey: hostKeyAlgorithms(keys) },
    readyTimeout: LOGIN_MS,
    keepaliveInterval: KEEPALIVE_MS,
    keepaliveCountMax: KEEPALIVES_MAX,
    authHandler: [login.method] as never,
    hostVerifier: (blob: Buffer) => {
      const isPinned = keys.some(
        (key) => key.blob.length === blob.length && timingSafeEqual(key.blob, blob),
      );
      if (!isPinned) {
        fault = new Fault(
          "ssh.host_key",
          `${place.host} has another host key than the grant says`,
          {
            hint: "if the host was set up anew, put its new key into the grant's `with: host_key`",
          },
        );
      }
      return isPinned;
    },
  };
  socket.setNoDelay(true); // File sessions go back and forth in small packets.
  client.connect(config);
  if (login.certificate !== undefined) {
    useCertificate(client, { user: login.user, key: login.key, certificate: login.certificate });
  }
  watchChannels(client, {
    overflowed: () => socket.destroy(),
    opens: () => false, // Nothing was asked to be forwarded.
  });
  const ended = closed.then((reason) => {
    throw fault ?? upstreamFault(place.host, reason);
  });
  await Promise.race([ready, ended]);
}

function upstreamFault(host: string, reason: string): Fault {
  if (/authentication/i.test(reason)) {
    return new Fault("ssh.credential", `${host} refuses the credential of the grant`, {
      hint: "check the user, and that the server trusts the key or the certificate's authority",
    });
  }
  return new Fault("ssh.upstream", `no SSH connection to ${host}: ${reason}`);
}

interface LoginMethod {
  readonly user: string;
  readonly method: AnyAuthMethod;
  readonly key: ssh2.ParsedKey;
  readonly certificate?: string;
}

function loginOf(lease: Lease | undefined, named: string | undefined): LoginMethod {
  const attach = lease?.attach;
  switch (attach?.kind) {
    case "login": {
      const { user, password } = attach;
      return { user, method: { type: "password", username: user, password }, key: NO_KEY };
    }
    case "ssh-key":
    case "ssh-certificate": {
      const { user, privateKey } = attach;
      const key = readPrivateKey(privateKey);
      const method = { type: "publickey", username: user, key } as unknown as AnyAuthMethod;
      const { certificate } = attach as { readonly certificate?: string };
      return { user, method, key, ...(certificate === undefined ? {} : { certificate }) };
    }
    default:
      if (attach === undefined && named !== undefined) {
        return { user: named, method: { type: "none", username: named }, key: NO_KEY };
      }
      throw new Fault("ssh.credential", "the grant names no credential that SSH can log in with", {
        hint: "use a credential of the kind ssh-key, ssh-certificate or login",
      });
  }
}

const NO_KEY = {} as ssh2.ParsedKey;

const START_MS = 20_000;

/** A channel, once the server confirms it. @throws {Fault} `ssh.upstream` */
async function startChannel(
  begin: (done: ssh2.ClientCallback) => void,
  closed: Promise<string>,
): Promise<Started> {
  const { promise, resolve, reject } = Promise.withResolvers<Started>();
  const failed = (reason: string) => reject(new Fault("ssh.upstream", reason));
  const tooLate = setTimeout(() => failed("the server does not answer"), START_MS);
  void closed.then(failed);
  try {
    begin((error, channel) => {
      if (error === undefined) {
        // Heard from here on: a short command is over before whoever waits for this goes on.
        channel.on("error", () => {});
        resolve({ channel, ended: endOf(channel, closed) });
      } else {
        failed(`the server refuses: ${error.message}`);
      }
    });
  } catch (error) {
    failed(describeError(error));
  }
  try {
    return await promise;
  } finally {
    clearTimeout(tooLate);
  }
}

async function endOf(channel: ClientChannel, closed: Promise<string>): Promise<Exit> {
  let exit: Exit = {};
  channel.once("exit", (code: number | null, signal?: string) => {
    exit = { exit: code ?? undefined, signal };
  });
  await Promise.race([new Promise((resolve) => channel.once("close", resolve)), closed]);
  return exit;
}
