/** How a team signs in: `console.yaml`, and its OpenID provider. */
import { OidcSignIn } from "./oidc.ts";
import { readClientSecret, readTeamSettings, type TeamSettings } from "./settings.ts";

export { OidcSignIn, type SignInBegun } from "./oidc.ts";
export { parseTeamSettings, type OidcSettings, type TeamMember } from "./settings.ts";

export interface Team {
  readonly settings: TeamSettings;
  readonly oidc: OidcSignIn | undefined;
}

/**
 * The team of the home at `root`; `undefined` where it has no `console.yaml`.
 *
 * @throws {Fault} `channel.file`, `console.settings`, `console.secret`
 */
export function readTeam(root: string, now: () => number): Team | undefined {
  const settings = readTeamSettings(root);
  if (settings === undefined) return undefined;
  const { oidc, origin } = settings;
  if (oidc === undefined) return { settings, oidc };
  const redirectUri = `${origin}/session/oidc/callback`;
  const clientSecret = readClientSecret(root, oidc);
  return { settings, oidc: new OidcSignIn({ settings: oidc, clientSecret, redirectUri, now }) };
}
