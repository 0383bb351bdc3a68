/** Nobody is signed in: how to. A link that was opened signs in by itself, and leaves the address bar at once. */
import { useEffect, useState } from "react";
import { signInByLink } from "../../calls/index.ts";
import { Command, Failure, Loading } from "../../parts/index.ts";
import styles from "./signin.module.css";

export function SignInScreen({ onSignedIn }: { onSignedIn: () => void }) {
  const [problem, setProblem] = useState<unknown>();
  const [link] = useState(takeLink);
  useEffect(() => {
    if (link === undefined) return;
    signInByLink(link).then(onSignedIn, setProblem);
  }, [link, onSignedIn]);
  if (link !== undefined && problem === undefined) return <Loading what="Signing in" />;
  return (
    <main className={styles.signin}>
      <h1>Cofferdam</h1>
      {problem === undefined ? null : <Failure error={problem} />}
      <p>Sign in with a link that works once. In a terminal on this machine:</p>
      <Command line="cofferdam console" />
    </main>
  );
}

let taken: string | undefined;

/** The token of `#link=`; it is out of the address bar, and of the history, before anything else happens. */
function takeLink(): string | undefined {
  const found = /^#link=([\w-]{43})$/.exec(location.hash)?.[1];
  if (found !== undefined) {
    taken = found;
    history.replaceState(null, "", location.pathname);
  }
  return taken;
}
