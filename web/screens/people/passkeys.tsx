/** Passkeys: one's own, and to an operator everybody's. */
import { useState } from "react";
import type { PasskeyInfo } from "../../../src/api/index.ts";
import type { SignedIn } from "../../app/session.ts";
import { useAct, useCall } from "../../calls/index.ts";
import {
  Ago,
  Button,
  Dialog,
  Empty,
  Failure,
  Loading,
  Panel,
  spelledText,
  Untrusted,
} from "../../parts/index.ts";
import { AddPasskey } from "./add.tsx";
import styles from "./people.module.css";

export function Passkeys({ session }: { session: SignedIn }) {
  const { data, error } = useCall("passkey.list", {});
  const [isAdding, setAdding] = useState(false);
  const [leaving, setLeaving] = useState<PasskeyInfo>();
  const isOwner = session.identity.startsWith("cli:");
  const mayAdd = isOwner
    ? session.roles.includes("operator")
    : data?.some(({ person }) => person === session.person) === true;
  const mayRemove = ({ person }: PasskeyInfo) =>
    session.roles.includes("operator") || (!isOwner && person === session.person);
  return (
    <Panel
      title="Passkeys"
      actions={
        mayAdd ? (
          <Button kind="primary" onClick={() => setAdding(true)}>
            Add a passkey
          </Button>
        ) : null
      }
    >
      {error !== null ? (
        <Failure error={error} />
      ) : data === undefined ? (
        <Loading />
      ) : data.length === 0 ? (
        <Empty title="No passkey yet" command="cofferdam console">
          A passkey signs in here, and signs decisions: the daemon then knows who said yes to what.
          The owner of this Cofferdam, signed in by the terminal's link, adds the first of each
          person.
        </Empty>
      ) : (
        <div className={styles.list} tabIndex={0} role="group" aria-label="Passkeys, as a table">
          <table>
            <thead>
              <tr>
                <th scope="col">Person</th>
                <th scope="col">Passkey</th>
                <th scope="col">Roles</th>
                <th scope="col">Added</th>
                <th scope="col">Used</th>
                <th scope="col">
                  <span className="visually-hidden">Remove</span>
                </th>
              </tr>
            </thead>
            <tbody>
              {data.map((one) => (
                <tr key={one.id}>
                  <th scope="row">{one.person}</th>
                  <td>
                    <Untrusted text={one.label} />
                    <small>
                      {one.id} · {one.rpId}
                    </small>
                  </td>
                  <td>{one.roles.join(", ")}</td>
                  <td>
                    <Ago at={one.createdAt} />
                  </td>
                  <td>{one.usedAt === undefined ? "never" : <Ago at={one.usedAt} />}</td>
                  <td className={styles.act}>
                    {mayRemove(one) ? (
                      <Button
                        kind="quiet"
                        aria-label={spelledText(`Remove ${one.label} of ${one.person}`)}
                        onClick={() => setLeaving(one)}
                      >
                        Remove…
                      </Button>
                    ) : null}
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      {isAdding ? (
        <AddPasskey session={session} isOwner={isOwner} onClose={() => setAdding(false)} />
      ) : null}
      {leaving === undefined ? null : (
        <RemovePasskey passkey={leaving} onClose={() => setLeaving(undefined)} />
      )}
    </Panel>
  );
}

function RemovePasskey({ passkey, onClose }: { passkey: PasskeyInfo; onClose: () => void }) {
  const remove = useAct("passkeys.remove", ["passkey.list", "session.show"]);
  const { id, person, label } = passkey;
  return (
    <Dialog title="Remove this passkey?" onClose={onClose}>
      <div className={styles.form}>
        {remove.error === null ? null : <Failure error={remove.error} />}
        <p>
          <Untrusted text={label} /> of {person} signs in and decides no more, from now on, and who
          is signed in as {person} by a passkey elsewhere is signed out. What it signed stays on
          record.
        </p>
        <div className={styles.buttons}>
          <Button
            kind="danger"
            disabled={remove.isPending}
            onClick={() => remove.mutate({ id }, { onSuccess: onClose })}
          >
            Remove passkey
          </Button>
          <Button kind="quiet" onClick={onClose}>
            Cancel
          </Button>
        </div>
      </div>
    </Dialog>
  );
}
