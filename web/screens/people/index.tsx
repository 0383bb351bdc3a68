/** Who there is: who is signed in, whose passkeys are believed, and who decides. */
import { useSession } from "../../app/session.ts";
import { Deciders } from "./deciders.tsx";
import { Passkeys } from "./passkeys.tsx";
import { Sessions } from "./sessions.tsx";
import styles from "./people.module.css";

export function PeopleScreen() {
  const session = useSession();
  if (session === undefined) return null;
  return (
    <div className={styles.screen}>
      <h1>People</h1>
      <Passkeys session={session} />
      <Sessions />
      <Deciders />
    </div>
  );
}
