/** Adds a passkey: of oneself, or, as the owner, of a person. */
import { useState } from "react";
import type { Role } from "../../../src/api/index.ts";
import { make } from "../../app/passkey.ts";
import type { SignedIn } from "../../app/session.ts";
import { ask, useDo } from "../../calls/index.ts";
import { Button, Dialog, Failure, Field } from "../../parts/index.ts";
import styles from "./people.module.css";

interface Wanted {
  readonly person: string;
  readonly label: string;
  readonly roles: Role[];
}

const ROLES: readonly (readonly [Role, string])[] = [
  ["approver", "decides over what waits"],
  ["operator", "pauses, kills, revokes, applies; looks after people and credentials"],
];

export function AddPasskey(props: {
  readonly session: SignedIn;
  readonly isOwner: boolean;
  readonly onClose: () => void;
}) {
  const { session, isOwner, onClose } = props;
  const [person, setPerson] = useState(isOwner ? "" : session.person);
  const [label, setLabel] = useState("");
  const [roles, setRoles] = useState<readonly Role[]>(session.roles);
  const add = useDo(
    async (wanted: Wanted) => {
      const whose = { roles: wanted.roles, ...(isOwner ? { person: wanted.person } : {}) };
      const made = await make(await ask("passkeys.offer", whose), wanted);
      return ask("passkeys.add", { ...whose, made });
    },
    ["passkey.list"],
  );
  return (
    <Dialog title="Add a passkey" onClose={onClose}>
      <form
        className={styles.form}
        onSubmit={(event) => {
          event.preventDefault();
          if (add.isPending) return;
          add.mutate(
            { person, label, roles: ["viewer", ...without(roles, "viewer")] },
            { onSuccess: onClose },
          );
        }}
      >
        {add.error === null ? null : <Failure error={add.error} />}
        {isOwner ? (
          <Field
            label="Person"
            hint="As approvers.yaml calls them: a-z, 0-9 and -. The person sits here with their device."
            required
            pattern="[a-z][a-z0-9\-]{0,39}"
            autoComplete="off"
            value={person}
            onChange={(event) => setPerson(event.target.value)}
          />
        ) : (
          <p>
            Another passkey of <strong>{person}</strong>, as for a second device. The one that you
            have is asked for first.
          </p>
        )}
        <Field
          label="Label"
          hint="What you will know it by: laptop, blue key."
          required
          maxLength={60}
          autoComplete="off"
          value={label}
          onChange={(event) => setLabel(event.target.value)}
        />
        <fieldset className={styles.roles}>
          <legend>May</legend>
          {ROLES.filter(([role]) => session.roles.includes(role)).map(([role, says]) => (
            <label key={role}>
              <input
                type="checkbox"
                checked={roles.includes(role)}
                onChange={(event) =>
                  setRoles(event.target.checked ? [...roles, role] : without(roles, role))
                }
              />
              <span>
                {role} <small>{says}</small>
              </span>
            </label>
          ))}
          <p className={styles.note}>Each may look at everything.</p>
        </fieldset>
        <div className={styles.buttons}>
          <Button kind="primary" type="submit">
            {add.isPending ? "Waiting for the device…" : "Make the passkey"}
          </Button>
          <Button kind="quiet" onClick={onClose}>
            Cancel
          </Button>
        </div>
      </form>
    </Dialog>
  );
}

function without(roles: readonly Role[], role: Role): Role[] {
  return roles.filter((one) => one !== role);
}
