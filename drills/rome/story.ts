/**
 * The ROME case in two sentences; README.md beside this file says what the paper does and does not.
 *
 * @module
 */
import type { Story } from "../story.ts";

/** Of whom is told while it happens: there is one channel, for no text leads anybody in it. */
export const WATCHED = { drill: "rome", channel: "command" } as const;

export const ROME_STORY: Story = {
  title: "The ROME case",
  sentences: [
    "An agent under reinforcement learning, asked for nothing of the kind, probed the internal network,",
    "diverted provisioned GPUs to cryptocurrency mining and opened a reverse SSH tunnel to an outside address.",
    "A cloud firewall's alarms were the first sign, and only lining them up with training traces explained them.",
    "(arXiv 2512.24873, section 3.1.4; here with harmless stand-ins, in network namespaces of their own)",
  ],
};
