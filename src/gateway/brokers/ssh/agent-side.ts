/**
 * The agent's side: a server with the run's own host key, which lets whoever comes in (an agent holds nothing to
 * prove), takes commands, file sessions and shells to be judged, and refuses everything that would carry
 * connections past the gateway.
 *
 * @module
 */
import type {
  AcceptConnection,
  Connection,
  PseudoTtyOptions,
  RejectConnection,
  ServerChannel,
  Session as SshSession,
} from "ssh2";
import ssh2 from "ssh2";
import { describeError, Fault, isFault } from "../../../base/index.ts";
import type { SessionRefusal } from "../broker.ts";
import { ALGORITHMS, needsStrictKeys } from "./algorithms.ts";
import { socketOf } from "./channel-socket.ts";
import { serveExec, type Control, type Request } from "./exec.ts";
import { chunksOf } from "./flow-control.ts";
import { readableKey } from "./private-key.ts";
import { EXIT, finish } from "./pump.ts";
import { sayError, Seat } from "./seat.ts";
import { serveSftp } from "./sftp-relay.ts";
import { serveShell } from "./shell.ts";
import { disconnect, hasStrictKeys, watchChannels } from "./ssh2-internals.ts";

const IDENT = "Cofferdam";
/** Of one connection at once; OpenSSH's MaxSessions is 10. */
const SESSIONS_MAX = 16;
const REFUSALS_MAX = 32;

/** What is told to programs about language, and no more: LD_PRELOAD is a variable too. */
const ENVIRONMENT =
  /^(LANG|LANGUAGE|LC_(ALL|CTYPE|NUMERIC|TIME|COLLATE|MONETARY|MESSAGES)|GIT_PROTOCOL|COLORTERM)$/;
const VALUE = /^[A-Za-z0-9_.@:=,-]{0,100}$/;
const VARIABLES_MAX = 16;

/** Serves the agent's connection of `seat` until it is over. */
export async function serveAgent(seat: Seat): Promise<void> {
  const { session } = seat;
  const { client, hostKey } = session;
  if (hostKey === undefined) throw new Fault("ssh.host_key", "the run has no SSH host key");
  const server = new ssh2.Server({
    hostKeys: [readableKey(hostKey)],
    ident: IDENT,
    algorithms: { ...ALGORITHMS, serverHostKey: undefined } as never,
    keepaliveInterval: 15_000,
    keepaliveCountMax: 4,
  });
  const over = new Promise<void>((resolve) => client.once("close", () => resolve()));
  const tooLate = setTimeout(() => {
    session.cut("it did not get as far as logging in");
  }, session.limits.handshakeMs);
  server.on("connection", (connection: Connection) => {
    new AgentConnection(seat, connection).listen(() => clearTimeout(tooLate));
  });
  client.setNoDelay(true); // File sessions go back and forth in small packets.
  server.injectSocket(client);
  try {
    await over;
  } finally {
    clearTimeout(tooLate);
    await seat.close();
  }
}

class AgentConnection {
  readonly #seat: Seat;
  readonly #connection: Connection;
  #sessions = 0;
  #refusals = 0;

  constructor(seat: Seat, connection: Connection) {
    this.#seat = seat;
    this.#connection = connection;
  }

  listen(ready: () => void): void {
    const connection = this.#connection;
    const { session } = this.#seat;
    session.lastWord = (text) => {
      disconnect(connection, `Cofferdam: ${text}`);
      return true;
    };
    connection.on("error", (error: Error) => session.because(describeError(error)));
    connection.on("handshake", (negotiated) => {
      if (needsStrictKeys(negotiated) && !hasStrictKeys(connection)) {
        session.cut("the client offers no connection that Terrapin leaves alone");
      }
    });
    connection.on("authentication", (context) => context.accept());
    connection.once("ready", ready);
    connection.on("session", (accept, reject) => this.#open(accept, reject));
    connection.on("tcpip", (accept, reject, { destIP, destPort }) => {
      this.#jump({ host: destIP, port: destPort }, accept, reject);
    });
    connection.on("request", (_accept, reject, name: string, info: unknown) => {
      reject?.();
      if (/forward/.test(name) && !name.startsWith("cancel")) {
        this.#refuseTunnel(name.replace("@openssh.com", ""), JSON.stringify(info));
      }
    });
    watchChannels(connection, {
      overflowed: () => session.cut("it sends more than its window allows"),
      opens: (type) => {
        const isKnown = KNOWN_CHANNELS.has(type);
        if (!isKnown) this.#refuseTunnel(type.replace("@openssh.com", ""), "a channel");
        return isKnown;
      },
    });
  }

  /**
   * A jump host is asked for a connection to another server. Where that is granted, the client is served here as
   * if it had come straight: it speaks SSH on the channel, and no byte of it goes to the jump host.
   */
  #jump(
    place: { readonly host: string; readonly port: number },
    accept: AcceptConnection<ServerChannel>,
    reject: RejectConnection,
  ): void {
    const { session } = this.#seat;
    const enter = this.#sessions < SESSIONS_MAX ? session.within?.(place) : undefined;
    if (enter === undefined) {
      reject();
      this.#refuseTunnel("direct-tcpip", `to ${place.host}:${place.port}`);
      return;
    }
    const client = socketOf(accept());
    client.on("error", () => {}); // Ends in its close.
    const inner = enter(client);
    this.#sessions += 1;
    client.once("close", () => {
      this.#sessions -= 1;
    });
    const served = serveAgent(new Seat(inner)).catch((error: unknown) => {
      session.log.info("ssh.jump", { error: describeError(error) });
      client.destroy();
    });
    this.#seat.add(served);
  }

  #refuseTunnel(what: string, detail: string): void {
    this.#refusals += 1;
    const { session } = this.#seat;
    if (this.#refusals > REFUSALS_MAX) {
      session.cut("it asks for one forwarding after another");
      return;
    }
    const shown = detail.slice(0, 200);
    session.refuse(refusal(what, shown));
    session.find("tunnel", `SSH ${what} ${shown}`);
  }

  #open(accept: AcceptConnection<SshSession>, reject: RejectConnection): void {
    if (this.#sessions >= SESSIONS_MAX) {
      reject();
      return;
    }
    this.#sessions += 1;
    const opened = accept();
    opened.once("close", () => {
      this.#sessions -= 1;
    });
    new AgentSession(this.#seat, opened, (what) =>
      this.#refuseTunnel(what, "in a session"),
    ).listen();
  }
}

const KNOWN_CHANNELS: ReadonlySet<string> = new Set(["session", "direct-tcpip"]);

function refusal(what: string, detail: string): SessionRefusal {
  const hint = what === "direct-tcpip" ? "; nothing of SSH is granted there" : "";
  return {
    rule: `ssh.${what}`,
    title: "No connections are carried through SSH",
    reason: `${what} ${detail} is refused, whatever is granted${hint}`,
  };
}

/** One session channel: what is asked ahead, and then one program. */
class AgentSession {
  readonly #seat: Seat;
  readonly #session: SshSession;
  readonly #refuseTunnel: (what: string) => void;
  readonly #env: Record<string, string> = {};
  #pty: PseudoTtyOptions | undefined;
  #control: Control | undefined;

  constructor(seat: Seat, session: SshSession, refuseTunnel: (what: string) => void) {
    this.#seat = seat;
    this.#session = session;
    this.#refuseTunnel = refuseTunnel;
  }

  listen(): void {
    const session = this.#session;
    session.on("env", (accept, reject, { key, val }) => {
      const isPassed = ENVIRONMENT.test(key) && VALUE.test(val);
      if (!isPassed || Object.keys(this.#env).length >= VARIABLES_MAX) {
        reject?.();
        return;
      }
      this.#env[key] = val;
      accept?.();
    });
    session.on("pty", (accept, _reject, info) => {
      const { rows, cols, height, width, modes, term } = info as typeof info & { term?: string };
      this.#pty = { rows, cols, height, width, modes, term };
      accept?.();
    });
    session.on("window-change", (accept, _reject, { rows, cols, height, width }) => {
      accept?.();
      this.#control?.resize(rows, cols, height, width);
    });
    session.on("signal", (accept, _reject, { name }) => {
      accept?.();
      this.#control?.signal(name);
    });
    session.on("x11", (_accept, reject) => {
      reject?.();
      this.#refuseTunnel("x11");
    });
    session.on("auth-agent", (_accept, reject) => {
      reject?.();
      this.#refuseTunnel("agent");
    });
    // Accepted at once: an end of the input before that makes ssh2 forget the session.
    session.on("exec", (accept, _reject, { command }) => {
      this.#run(accept(), (channel) => serveExec(this.#seat, channel, command, this.#request()));
    });
    session.on("shell", (accept) => {
      this.#run(accept(), (channel) => serveShell(this.#seat, channel, this.#request()));
    });
    // Not ssh2's own reading of SFTP: packets are read here, and go on as they were judged.
    (session as unknown as SubsystemListener).on("subsystem", (accept, reject, { name }) => {
      if (name !== "sftp") {
        reject?.();
        this.#seat.session.refuse({
          rule: "ssh.subsystem",
          title: "This is not spoken",
          reason: `the subsystem ${JSON.stringify(name.slice(0, 64))} is not known`,
        });
        return;
      }
      this.#run(accept(), (channel) => this.#serveFiles(channel));
    });
  }

  async #serveFiles(channel: ServerChannel): Promise<void> {
    await serveSftp(this.#seat, channel);
    await finish(channel, 0);
  }

  #request(): Request {
    return {
      env: this.#env,
      pty: this.#pty,
      running: (control) => {
        this.#control = control;
      },
    };
  }

  #run(channel: ServerChannel | undefined, serve: (channel: ServerChannel) => Promise<void>): void {
    if (channel === undefined) return;
    channel.on("error", () => {});
    const task = serve(channel).catch(async (error: unknown) => {
      const { session } = this.#seat;
      if (!isFault(error)) session.log.warn("ssh.channel", { error: describeError(error) });
      sayError(channel, `Cofferdam: ${isFault(error) ? describeError(error) : "it failed"}`);
      await finish(channel, EXIT.failed).catch(() => {});
      drain(channel);
    });
    this.#seat.add(task);
  }
}

/** Reads away what still comes, so that its end is heard. */
function drain(channel: ServerChannel): void {
  void (async () => {
    for await (const _ of chunksOf(channel));
  })().catch(() => {});
}

interface SubsystemListener {
  on(
    event: "subsystem",
    listener: (
      accept: () => ServerChannel,
      reject: (() => void) | undefined,
      info: { readonly name: string },
    ) => void,
  ): void;
}
