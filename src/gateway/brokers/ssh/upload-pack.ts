/**
 * Questions to the server about a repository, before a push to it is judged: each to a git-upload-pack of its own,
 * beside the agent's channel.
 *
 * @module
 */
import { answerOf, PushInquiry, speaksVersion2, type Question } from "../../../git/index.ts";
import type { Json } from "../../../action/index.ts";
import type { GatewayLimits } from "../../limits.ts";
import { chunksOf } from "./flow-control.ts";
import type { Upstream } from "./upstream.ts";

/** Of an answer to one question this much is read: folders of a large repository. */
const ANSWER_BYTES_MAX = 8 << 20;
const VERSION_2 = { GIT_PROTOCOL: "version=2" };
const FLUSH = Buffer.from("0000");

export class UploadPack {
  readonly #upstream: Upstream;
  readonly #command: string;
  readonly #limits: Pick<GatewayLimits, "wholeBodyMs">;
  /** Protocol version 0: sshd keeps `GIT_PROTOCOL` from it. */
  readonly isPlain: boolean;
  asked = 0;

  private constructor(
    upstream: Upstream,
    command: string,
    { limits, isPlain }: { limits: Pick<GatewayLimits, "wholeBodyMs">; isPlain: boolean },
  ) {
    this.#upstream = upstream;
    this.#command = command;
    this.#limits = limits;
    this.isPlain = isPlain;
  }

  /** Finds out what it speaks. */
  static async open(
    upstream: Upstream,
    command: string,
    limits: Pick<GatewayLimits, "wholeBodyMs">,
  ): Promise<UploadPack> {
    const plain = new UploadPack(upstream, command, { limits, isPlain: true });
    const said = await plain.#say(FLUSH);
    const isPlain = said === undefined || !speaksVersion2(said);
    return isPlain ? plain : new UploadPack(upstream, command, { limits, isPlain });
  }

  /** What must be known of `body`, as far as the server tells. */
  async factsOf(body: Buffer): Promise<Readonly<Record<string, Json>>> {
    const inquiry = new PushInquiry(body);
    for (let one = inquiry.next(); one !== undefined; one = inquiry.next()) {
      inquiry.tell(await this.#ask(one));
    }
    return inquiry.named() as unknown as Readonly<Record<string, Json>>;
  }

  async #ask({ body, plain }: Question): Promise<Buffer | undefined> {
    const said = await this.#say(this.isPlain ? plain : body);
    return said && answerOf(said, this.isPlain);
  }

  /** All that it says to `input`; `undefined` where that is too much, takes too long, or does not start. */
  async #say(input: Buffer): Promise<Buffer | undefined> {
    this.asked += 1;
    const started = await this.#upstream
      .exec(this.#command, { env: VERSION_2 })
      .catch(() => undefined);
    if (started === undefined) return undefined;
    const { channel } = started;
    const tooLate = setTimeout(() => channel.close(), this.#limits.wholeBodyMs);
    channel.stderr.resume();
    channel.end(input);
    const chunks: Buffer[] = [];
    let bytes = 0;
    try {
      for await (const chunk of chunksOf(channel)) {
        bytes += chunk.length;
        if (bytes > ANSWER_BYTES_MAX) return undefined;
        chunks.push(chunk);
      }
      return Buffer.concat(chunks);
    } catch {
      return undefined; // The connection is over.
    } finally {
      clearTimeout(tooLate);
      channel.close();
    }
  }
}
