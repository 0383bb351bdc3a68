/** The menu: screens, what needs a person, who is signed in. `g` and a letter opens a screen. */
import { useEffect, useRef } from "react";
import { Link, useLocation } from "wouter";
import { signOut, useCall, useDo } from "../calls/index.ts";
import { useConnection, useLive } from "../live/index.ts";
import { useKeys } from "../parts/index.ts";
import { SCREENS } from "./screens.ts";
import type { SignedIn } from "./session.ts";
import { ThemeSwitch } from "./theme.tsx";
import styles from "./app.module.css";

const CHORD_MS = 1200;

export function Menu({ session }: { session: SignedIn }) {
  const [location, navigate] = useLocation();
  const waiting = useWaiting();
  const connection = useConnection();
  const leave = useDo(signOut, ["session.show"]);
  useChords(navigate);
  const screens = useRef<HTMLElement>(null);
  // On a phone the menu is one row, longer than the page is wide.
  useEffect(() => {
    screens.current?.querySelector('[aria-current="page"]')?.scrollIntoView({ block: "nearest" });
  }, [location]);
  return (
    <header className={styles.menu}>
      <a className={styles.skip} href="#main">
        Skip to content
      </a>
      <Link href="/" className={styles.brand}>
        Cofferdam
      </Link>
      <nav ref={screens} aria-label="Screens">
        {SCREENS.map(({ path, label, icon, key }) => {
          const isOpen = path === "/" ? location === "/" : location.startsWith(path);
          return (
            <Link
              key={path}
              href={path}
              aria-current={isOpen ? "page" : undefined}
              title={`${label} (g ${key})`}
            >
              <svg viewBox="0 0 20 20" aria-hidden="true">
                <path d={icon} />
              </svg>
              <span>{label}</span>
              {path === "/approvals" && waiting > 0 ? (
                <span className={styles.waiting} aria-label={`${waiting} waiting`}>
                  {waiting}
                </span>
              ) : null}
            </Link>
          );
        })}
      </nav>
      <footer className={styles.who}>
        {connection === "lost" ? (
          <p role="status" className={styles.lost}>
            Not connected
          </p>
        ) : null}
        <ThemeSwitch />
        <p title={session.home}>
          {session.person}
          <small>{session.roles.join(", ")}</small>
        </p>
        <button type="button" onClick={() => leave.mutate()}>
          Sign out
        </button>
      </footer>
    </header>
  );
}

/** How many approvals wait for somebody; the title of the tab says so, too. */
function useWaiting(): number {
  const approvals = useCall("approvals.list", { all: false });
  useLive("approvals", ({ event }) => {
    if (event === "approval" || event === "approvals") void approvals.refetch();
  });
  const waiting =
    approvals.data?.filter(({ state }) => state === "requested" || state === "shown").length ?? 0;
  useEffect(() => {
    document.title = waiting === 0 ? "Cofferdam" : `(${waiting}) Cofferdam`;
  }, [waiting]);
  return waiting;
}

function useChords(navigate: (path: string) => void): void {
  const since = useRef(-Infinity); // No `g` yet: a page that just opened is not in the middle of a chord.
  const go = Object.fromEntries(
    SCREENS.map(({ key, path }) => [
      key,
      () => {
        if (performance.now() - since.current > CHORD_MS) return false;
        since.current = -Infinity;
        navigate(path);
        return true;
      },
    ]),
  );
  useKeys({ ...go, g: () => void (since.current = performance.now()) });
}
