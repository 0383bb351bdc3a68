/**
 * A notice on the desktop: a person who started a run may look elsewhere when it waits for them.
 *
 * @module
 */
import { spawn } from "node:child_process";

const TEXT_CHARS_MAX = 300;

/** Shows `text` by notify-send(1), where there is a desktop and that program; what fails is left out: the terminal has said it. */
export function noticeOnDesktop(
  text: string,
  environment: Readonly<Record<string, string | undefined>>,
): void {
  const { DISPLAY, WAYLAND_DISPLAY, DBUS_SESSION_BUS_ADDRESS: bus } = environment;
  if (!DISPLAY && !WAYLAND_DISPLAY && !bus) return;
  // Desktops read markup in the body (freedesktop.org, Desktop Notifications Specification), and the text is an agent's.
  const plain = text.slice(0, TEXT_CHARS_MAX).toWellFormed().replaceAll("&", "&amp;");
  const body = plain.replaceAll("<", "&lt;").replaceAll(">", "&gt;");
  const line = ["--app-name=Cofferdam", "--", "Cofferdam", body];
  const child = spawn("notify-send", line, { stdio: "ignore", detached: true });
  child.on("error", () => {});
  child.unref();
}
