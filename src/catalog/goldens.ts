/**
 * Golden requests by system.
 *
 * @module
 */
import { golden as anthropic } from "./entries/anthropic.golden.ts";
import { golden as cofferdam } from "./entries/cofferdam.golden.ts";
import { golden as crates } from "./entries/crates.golden.ts";
import { golden as debian } from "./entries/debian.golden.ts";
import { golden as discord } from "./entries/discord.golden.ts";
import { golden as ethereum } from "./entries/ethereum.golden.ts";
import { golden as gemini } from "./entries/gemini.golden.ts";
import { golden as github } from "./entries/github.golden.ts";
import { golden as git } from "./entries/git.golden.ts";
import { golden as gitlab } from "./entries/gitlab.golden.ts";
import { golden as gmail } from "./entries/gmail.golden.ts";
import { golden as goProxy } from "./entries/go-proxy.golden.ts";
import { golden as googleCalendar } from "./entries/google-calendar.golden.ts";
import { golden as googleDrive } from "./entries/google-drive.golden.ts";
import { golden as linkedin } from "./entries/linkedin.golden.ts";
import { golden as listmonk } from "./entries/listmonk.golden.ts";
import { golden as n8n } from "./entries/n8n.golden.ts";
import { golden as notion } from "./entries/notion.golden.ts";
import { golden as npm } from "./entries/npm.golden.ts";
import { golden as openai } from "./entries/openai.golden.ts";
import { golden as paypal } from "./entries/paypal.golden.ts";
import { golden as pypi } from "./entries/pypi.golden.ts";
import { golden as resend } from "./entries/resend.golden.ts";
import { golden as sendgrid } from "./entries/sendgrid.golden.ts";
import { golden as slack } from "./entries/slack.golden.ts";
import { golden as solana } from "./entries/solana.golden.ts";
import { golden as stripe } from "./entries/stripe.golden.ts";
import { golden as telegram } from "./entries/telegram.golden.ts";
import { golden as twilio } from "./entries/twilio.golden.ts";
import { golden as wordpress } from "./entries/wordpress.golden.ts";
import type { Golden } from "./golden.ts";

export const GOLDENS: ReadonlyMap<string, readonly Golden[]> = new Map([
  ["anthropic", anthropic],
  ["cofferdam", cofferdam],
  ["crates", crates],
  ["debian", debian],
  ["discord", discord],
  ["ethereum", ethereum],
  ["gemini", gemini],
  ["github", github],
  ["git", git],
  ["gitlab", gitlab],
  ["gmail", gmail],
  ["go-proxy", goProxy],
  ["google-calendar", googleCalendar],
  ["google-drive", googleDrive],
  ["linkedin", linkedin],
  ["listmonk", listmonk],
  ["n8n", n8n],
  ["notion", notion],
  ["npm", npm],
  ["openai", openai],
  ["paypal", paypal],
  ["pypi", pypi],
  ["resend", resend],
  ["sendgrid", sendgrid],
  ["slack", slack],
  ["solana", solana],
  ["stripe", stripe],
  ["telegram", telegram],
  ["twilio", twilio],
  ["wordpress", wordpress],
]);
