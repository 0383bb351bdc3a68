/** Credentials: where each may go, where it went, and changing them. What they are is never shown. */
import { useState } from "react";
import { Link, Route, useLocation } from "wouter";
import type { CredentialInfo } from "../../../src/api/index.ts";
import { useRole } from "../../app/session.ts";
import { useCall } from "../../calls/index.ts";
import { Ago, Button, Empty, Failure, Loading, plural } from "../../parts/index.ts";
import { Add, Unlock } from "./forms.tsx";
import { Shown } from "./shown.tsx";
import styles from "./credentials.module.css";

export function CredentialsScreen() {
  return <Route path="/:name?">{({ name }) => <Credentials name={name} />}</Route>;
}

function Credentials({ name }: { name: string | undefined }) {
  const { data, error } = useCall("credential.list", {});
  const mayEdit = useRole("operator");
  const [isAdding, setIsAdding] = useState(false);
  const [, navigate] = useLocation();
  if (error !== null) {
    return error.code === "vault.locked" ? (
      <Unlock error={error} mayUnlock={mayEdit} />
    ) : (
      <Failure error={error} />
    );
  }
  if (data === undefined) return <Loading what="Opening the vault" />;
  const shown = data.find((one) => one.name === name);
  return (
    <div className={styles.screen}>
      <header className={styles.head}>
        <h1>Credentials</h1>
        {mayEdit ? (
          <Button kind="primary" onClick={() => setIsAdding(true)}>
            Add…
          </Button>
        ) : null}
      </header>
      <p className={styles.note}>
        A run never holds these: a placeholder stands in it, and the secret is put in on the way
        out, to the places named here and nowhere else. Nothing on this screen can show one.
      </p>
      {data.length === 0 ? (
        <Empty
          title="The vault is empty"
          command="cofferdam credential add github --host api.github.com"
        >
          A credential that a task file names is put here once, bound to where it may go. Add one
          with the button above, or in a terminal:
        </Empty>
      ) : (
        <div className={shown === undefined ? undefined : styles.columns}>
          <List all={data} name={name} />
          {shown === undefined ? null : <Shown key={shown.name} info={shown} mayEdit={mayEdit} />}
        </div>
      )}
      {isAdding ? (
        <Add
          onClose={() => setIsAdding(false)}
          onAdded={(added) => {
            setIsAdding(false);
            navigate(`/${added}`);
          }}
        />
      ) : null}
    </div>
  );
}

/** `https://api.example.com`, and the port where it is not the usual one. */
export function placesOf({ binding }: CredentialInfo): readonly string[] {
  const { scheme, hosts, port } = binding;
  return hosts.map((host) => `${scheme}://${host}:${port}`);
}

function List({ all, name }: { all: readonly CredentialInfo[]; name: string | undefined }) {
  return (
    <section aria-label={plural(all.length, "credential")} className={styles.list}>
      <table>
        <thead>
          <tr>
            <th>Name</th>
            <th>Kind</th>
            <th>May go to</th>
            <th>Used</th>
          </tr>
        </thead>
        <tbody>
          {all.map((one) => (
            <tr key={one.name} className={one.name === name ? styles.chosen : undefined}>
              <td>
                <Link to={`/${one.name}`} aria-current={one.name === name ? "true" : undefined}>
                  {one.name}
                </Link>
              </td>
              <td>{one.how["kind"]}</td>
              <td>
                {placesOf(one).map((place) => (
                  <code key={place}>{place}</code>
                ))}
              </td>
              <td>{one.usedAt === undefined ? "never" : <Ago at={one.usedAt} />}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
