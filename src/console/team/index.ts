/** How a team signs in: `console.yaml`, and its OpenID provider. */
export { OidcSignIn, type SignInBegun } from "./oidc.ts";
export {
  parseTeamSettings,
  readClientSecret,
  readTeamSettings,
  type OidcSettings,
  type TeamMember,
  type TeamSettings,
} from "./settings.ts";
