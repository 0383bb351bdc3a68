/**
 * System-wide settings of agents and browsers, for the run's /etc: what can only fail inside is switched off.
 *
 * A program's own sandbox needs user namespaces, which a run has none of (docs/decisions/0052); left on, Codex
 * fails at each command, and Chromium at its start. Update checks and telemetry go to hosts that no task grants, and would only fill the
 * record. Questions before a command are the person's choice and stay as they are (docs/decisions/0111).
 *
 * @module
 */

const json = (value: object) => `${JSON.stringify(value, undefined, 2)}\n`;

/** Files below /etc, each at the place that the program documents for administrators. */
export const APP_SETTINGS: Readonly<Record<string, string>> = {
  // Also wins over a user's or project's settings.
  "claude-code/managed-settings.json": json({
    sandbox: { enabled: false },
    env: { CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: "1" },
  }),
  // The lowest layer: --sandbox and a user's own config still win.
  "codex/config.toml":
    'sandbox_mode = "danger-full-access"\ncheck_for_update_on_startup = false\n' +
    "[analytics]\nenabled = false\n[feedback]\nenabled = false\n",
  // None for Gemini CLI: it skips a file that is not uid 0's, and in a run nothing is; its sandbox is off by itself.
  "opencode/opencode.json": json({ autoupdate: false }),
  // Read by Debian's launcher, which ends where this folder is missing.
  "chromium.d/cofferdam": 'export CHROMIUM_FLAGS="$CHROMIUM_FLAGS --no-sandbox"\n',
};
