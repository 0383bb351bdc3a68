/** Probes of web services: requests that only read, of systems of the catalog. */
import type { Probe } from "../probe.ts";
import { discordProbe, slackProbe, telegramProbe } from "./chats.ts";
import { githubProbe } from "./github.ts";
import { gitlabProbe } from "./gitlab.ts";
import { gmailProbe } from "./gmail.ts";
import { listmonkProbe } from "./listmonk.ts";
import { n8nProbe } from "./n8n.ts";
import { SERVICE_PROBES } from "./services.ts";
import { stripeProbe } from "./stripe.ts";
import { wordpressProbe } from "./wordpress.ts";

export const WEB_PROBES: readonly Probe[] = [
  ...[wordpressProbe, listmonkProbe, n8nProbe, githubProbe, gitlabProbe, stripeProbe],
  ...[slackProbe, discordProbe, telegramProbe, gmailProbe, ...SERVICE_PROBES],
];
