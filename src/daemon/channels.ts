/**
 * The daemon's hold on `approvers.yaml`: one courier for each channel in it, ended and begun anew when the file
 * changes. A file that cannot be understood ends them all; deciding is refused then, by the approvals themselves.
 *
 * @module
 */
import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import type { Gives } from "../api/index.ts";
import type { Approvals } from "../approval/index.ts";
import { describeError, Fault, type Log } from "../base/index.ts";
import {
  APPROVERS_FILE,
  Courier,
  CourierStore,
  createNtfy,
  createSlack,
  createTelegram,
  readApprovers,
  readDeciders,
  type Approvers,
  type Channel,
  type ChannelStatus,
  type SecretPlace,
} from "../channel/index.ts";
import { readSecret } from "./channel-secret.ts";
import type { Credentials } from "./credentials.ts";

const STORE_FILE = "channels.db";
const LOOK_MS = 2000;
/** A channel whose secret cannot be had is tried again: a vault may be unlocked meanwhile. */
const RETRY_MS = 15_000;

interface Ports {
  readonly root: string;
  readonly approvals: Approvals;
  readonly credentials: Credentials;
  readonly log: Log;
}

type Settings = NonNullable<Approvers["channels"]>;
type Name = keyof Settings;
type Status = Omit<ChannelStatus, "state"> & { readonly state: string };

export class Channels {
  readonly #ports: Ports;
  readonly #timer: NodeJS.Timeout;
  readonly #couriers = new Map<Name, Courier>();
  /** Channels that could not be begun, and why. */
  readonly #stopped = new Map<Name, string>();
  #store: CourierStore | undefined;
  #approvers: Approvers | undefined;
  #problem: string | undefined;
  #mark = "";
  #retryAtMs = 0;
  #turn: Promise<void> = Promise.resolve();
  #isClosed = false;

  constructor(ports: Ports) {
    this.#ports = ports;
    this.#look();
    this.#timer = setInterval(() => this.#look(), LOOK_MS).unref();
  }

  status(): Gives<"approvals.channels"> {
    const { root } = this.#ports;
    const problem = this.#problemNow() ?? this.#problem;
    const running: Status[] = [...this.#couriers.values()].map((courier) => courier.status);
    const stopped = [...this.#stopped].map(([name, error]): Status => {
      return { name, state: "stopped", error, strangers: 0 };
    });
    return {
      ...(markOf(root) === "" ? {} : { file: join(root, APPROVERS_FILE) }),
      ...(problem === undefined ? {} : { problem }),
      approvers: (this.#approvers?.approvers ?? []).map(({ name }) => name),
      needsProof: this.#approvers?.passkeys === "required",
      channels: [...running, ...stopped],
    };
  }

  /** @throws {Fault} `daemon.no_channel`, and what the channel's service says */
  async test(name: string): Promise<readonly string[]> {
    await this.#turn;
    const courier = [...this.#couriers].find(([one]) => one === name)?.[1];
    if (courier !== undefined) return courier.test();
    const why = this.#problem ?? [...this.#stopped].find(([one]) => one === name)?.[1];
    throw new Fault("daemon.no_channel", why ?? `no channel ${JSON.stringify(name)} is listed`, {
      hint: "`cofferdam approvals channels` lists them; approvers.yaml has their settings",
    });
  }

  /** Says `text` wherever cards go. Best effort: it is on record in any case. */
  alert(text: string): void {
    for (const courier of this.#couriers.values()) courier.alert(text);
  }

  /** What was said about approvals; `undefined` where nothing ever was. @throws {Fault} `channel.store` */
  get kept(): Pick<CourierStore, "database" | "forget"> | undefined {
    const file = join(this.#ports.root, STORE_FILE);
    if (this.#store === undefined && !existsSync(file)) return undefined;
    return (this.#store ??= new CourierStore(file));
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    clearInterval(this.#timer);
    await this.#turn;
    await this.#end();
    this.#store?.close();
  }

  /** Begins anew where the file is another than before, or something did not begin. */
  #look(): void {
    const mark = markOf(this.#ports.root);
    const isDue = this.#stopped.size > 0 && performance.now() > this.#retryAtMs;
    if (mark === this.#mark && !isDue) return;
    this.#mark = mark;
    this.#retryAtMs = performance.now() + RETRY_MS;
    this.#turn = this.#turn.then(() => this.#begin());
  }

  async #begin(): Promise<void> {
    if (this.#isClosed) return;
    const { root, credentials, log } = this.#ports;
    await this.#end();
    this.#stopped.clear();
    try {
      this.#approvers = readApprovers(root);
      this.#problem = undefined;
    } catch (error) {
      this.#approvers = undefined;
      this.#problem = describeError(error);
      log.warn("channels.problem", { error: this.#problem });
      return; // What it said of credentials before still holds.
    }
    const settings = this.#approvers?.channels ?? {};
    credentials.ownUse = new Set(credentialsOf(settings));
    for (const name of ["telegram", "slack", "ntfy"] as const) {
      if (settings[name] === undefined) continue;
      try {
        this.#couriers.set(name, this.#courier(await this.#channel(name, settings)));
        log.info("channel.begun", { channel: name });
      } catch (error) {
        this.#stopped.set(name, describeError(error));
        log.warn("channel.stopped", { channel: name, error: describeError(error) });
      }
    }
  }

  async #end(): Promise<void> {
    const couriers = [...this.#couriers.values()];
    this.#couriers.clear();
    await Promise.all(couriers.map((one) => one.close()));
  }

  #courier(channel: Channel): Courier {
    const { root, approvals, log } = this.#ports;
    this.#store ??= new CourierStore(join(root, STORE_FILE));
    const deciders = () => readDeciders(root);
    return new Courier({ channel, approvals, log, store: this.#store, deciders });
  }

  async #channel(name: Name, settings: Settings): Promise<Channel> {
    const { telegram, slack, ntfy } = settings;
    const { root, credentials } = this.#ports;
    const secret = (place: SecretPlace, api: string) =>
      readSecret(place, api, { root, vault: () => credentials.vault });
    if (name === "telegram" && telegram !== undefined) {
      const api = bare(telegram.api);
      const token = await secret(telegram.token, api);
      return createTelegram({ api, token, chats: telegram.chats });
    }
    if (name === "slack" && slack !== undefined) {
      const api = bare(slack.api);
      const token = await secret(slack.token, api);
      return createSlack({ api, token, channel: slack.channel });
    }
    if (name === "ntfy" && ntfy !== undefined) {
      const api = bare(ntfy.api);
      const token = ntfy.token === undefined ? undefined : await secret(ntfy.token, api);
      const topic = await secret(ntfy.topic, api);
      const replies = new Map<string, string>();
      for (const [one, place] of Object.entries(ntfy.replies)) {
        replies.set(one, await secret(place, api));
      }
      return createNtfy({ api, token, topic, replies });
    }
    throw new Fault("daemon.no_channel", `no channel ${name} is listed`);
  }

  /** Deciding reads the file each time; so does whoever asks how it stands. */
  #problemNow(): string | undefined {
    try {
      readDeciders(this.#ports.root);
      return undefined;
    } catch (error) {
      return describeError(error);
    }
  }
}

/** What changes whenever the file does; empty where there is none. */
function markOf(root: string): string {
  const about = statSync(join(root, APPROVERS_FILE), { throwIfNoEntry: false });
  if (about === undefined) return "";
  return [about.ino, about.size, about.mtimeMs, about.ctimeMs].join(" ");
}

function credentialsOf({ telegram, slack, ntfy }: Settings): readonly string[] {
  const places = [
    ...[telegram?.token, slack?.token, ntfy?.token, ntfy?.topic],
    ...Object.values(ntfy?.replies ?? {}),
  ];
  return places.flatMap((one) => (one?.credential === undefined ? [] : [one.credential]));
}

function bare(api: string): string {
  return api.replace(/\/+$/, "");
}
