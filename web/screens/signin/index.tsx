/** Nobody is signed in: how to. A link that was opened signs in by itself, and leaves the address bar at once. */
import { useEffect, useState } from "react";
import { sign } from "../../app/passkey.ts";
import {
  ApiFault,
  askToSignIn,
  offers,
  signInAtProvider,
  signInByLink,
  signInByProof,
  type Offers,
} from "../../calls/index.ts";
import { Button, Command, Failure, Loading } from "../../parts/index.ts";
import styles from "./signin.module.css";

export function SignInScreen({ onSignedIn }: { onSignedIn: () => void }) {
  const [link] = useState(takeLink);
  const [problem, setProblem] = useState<unknown>(takeRefusal);
  const [offered, setOffered] = useState<Offers>();
  const [isAsked, setAsked] = useState(false);
  useEffect(() => {
    if (link !== undefined) signInByLink(link).then(onSignedIn, setProblem);
    offers().then(setOffered, setProblem);
  }, [link, onSignedIn]);
  if (link !== undefined && problem === undefined) return <Loading what="Signing in" />;
  return (
    <main className={styles.signin}>
      <h1>Cofferdam</h1>
      {problem === undefined ? null : <Failure error={problem} />}
      <Button
        kind="primary"
        disabled={isAsked}
        onClick={() => {
          setAsked(true);
          setProblem(undefined);
          signInByPasskey()
            .then(onSignedIn, setProblem)
            .finally(() => setAsked(false));
        }}
      >
        {isAsked ? "Waiting for your passkey…" : "Sign in with a passkey"}
      </Button>
      {offered?.oidc === true ? (
        <Button onClick={() => void signInAtProvider().catch(setProblem)}>
          Sign in at your provider
        </Button>
      ) : null}
      {offered?.links === true ? (
        <>
          <p>Or sign in with a link that works once. In a terminal on this machine:</p>
          <Command line="cofferdam console" />
        </>
      ) : null}
    </main>
  );
}

/** Whoever has one is known by it: no name is typed, and none is told. */
async function signInByPasskey(): Promise<void> {
  await signInByProof(await sign(await askToSignIn()));
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

/** In our words: an address says no more than which. */
const REFUSALS: Readonly<Record<string, readonly [string, string]>> = {
  "console.stranger": [
    "your account may not use this console",
    "whoever runs it lists people in console.yaml",
  ],
  "console.sign_in": ["the sign-in did not come through", "sign in again"],
  "console.provider": [
    "the provider does not answer",
    "try again; whoever runs this console sees why",
  ],
};

function takeRefusal(): ApiFault | undefined {
  const code = /^#refused=([a-z._]{1,40})$/.exec(location.hash)?.[1] ?? "";
  const refusal = Object.hasOwn(REFUSALS, code) ? REFUSALS[code] : undefined;
  if (refusal === undefined) return undefined;
  history.replaceState(null, "", location.pathname);
  const [message, hint] = refusal;
  return new ApiFault(401, { code, message, hint });
}
