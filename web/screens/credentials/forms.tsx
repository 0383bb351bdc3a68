/**
 * Changing credentials. A secret goes from its field into one request and nowhere else: the fields are the browser's own,
 * emptied when it is sent, and no answer has one. Nothing is kept of it in what a page remembers of its questions.
 *
 * @module
 */
import { useQueryClient } from "@tanstack/react-query";
import { useId, useState, type FormEvent, type ReactNode } from "react";
import type { CredentialInfo, Lent } from "../../../src/api/index.ts";
import { ask } from "../../calls/index.ts";
import { Button, Dialog, Failure, Field, plural } from "../../parts/index.ts";
import { KINDS, SCHEMES, type Kind } from "./kinds.ts";
import styles from "./credentials.module.css";

const STALE = ["credential.list", "credential.trail"] as const;

/** A form whose fields are read once, when it is sent. */
function Form(props: {
  readonly send: (of: (name: string) => string) => Promise<unknown>;
  readonly label: string;
  readonly kind?: "primary" | "danger";
  readonly onClose?: (() => void) | undefined;
  readonly children?: ReactNode;
}) {
  const queries = useQueryClient();
  const [failure, setFailure] = useState<unknown>();
  const [isSending, setIsSending] = useState(false);
  const submit = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = event.currentTarget;
    const data = new FormData(form);
    const of = (name: string) => {
      const value = data.get(name);
      return typeof value === "string" ? value : "";
    };
    for (const field of form.querySelectorAll<HTMLInputElement>("[data-secret]")) field.value = "";
    setFailure(undefined);
    setIsSending(true);
    try {
      await props.send(of);
    } catch (error) {
      setFailure(error);
    } finally {
      setIsSending(false);
      for (const name of STALE) void queries.invalidateQueries({ queryKey: [name] });
    }
  };
  return (
    <form className={styles.form} autoComplete="off" onSubmit={(event) => void submit(event)}>
      {props.children}
      {failure === undefined ? null : <Failure error={failure} />}
      <div className={styles.buttons}>
        <Button type="submit" kind={props.kind ?? "primary"} disabled={isSending}>
          {isSending ? "Sending…" : props.label}
        </Button>
        {props.onClose === undefined ? null : <Button onClick={props.onClose}>Cancel</Button>}
      </div>
    </form>
  );
}

function SecretField({ label, isKey = false }: { label: string; isKey?: boolean }) {
  const id = useId();
  const hint = "It goes straight into the vault; nothing shows it again.";
  if (!isKey) {
    return (
      <Field
        label={label}
        name="secret"
        type="password"
        autoComplete="new-password"
        required
        hint={hint}
        data-secret=""
      />
    );
  }
  return (
    <div className={styles.key}>
      <label htmlFor={id}>{label}</label>
      {/* Lines matter, so it is no password field; what is typed is masked all the same. */}
      <textarea id={id} name="secret" rows={5} spellCheck={false} required data-secret="" />
      <p className={styles.note}>{hint}</p>
    </div>
  );
}

export function Add(props: { onClose: () => void; onAdded: (name: string) => void }) {
  const [kind, setKind] = useState<Kind>(KINDS[0] as Kind);
  const [scheme, setScheme] = useState("https");
  const id = useId();
  const send = async (of: (name: string) => string) => {
    const members = kind.members.flatMap(({ name }) => {
      const value = of(`how.${name}`).trim();
      return value === "" ? [] : [[name, value] as const];
    });
    const hosts = of("hosts")
      .split(/[\s,]+/)
      .filter((host) => host !== "");
    const name = of("name").trim();
    const spec = {
      name,
      binding: { scheme, hosts, port: Number(of("port")) },
      how: { kind: kind.kind, ...Object.fromEntries(members) },
    };
    await ask("credential.add", { spec, secret: { value: secretOf(of, kind.isKey === true) } });
    props.onAdded(name);
  };
  return (
    <Dialog title="Add a credential" onClose={props.onClose}>
      <Form send={send} label="Add" onClose={props.onClose}>
        <Field
          label="Name"
          name="name"
          required
          pattern="[a-z][a-z0-9\-]{0,39}"
          hint="As task files name it: a-z, 0-9 and -"
        />
        <div className={styles.choice}>
          <label htmlFor={id}>Kind</label>
          <select
            id={id}
            value={kind.kind}
            onChange={({ target }) => {
              const next = KINDS.find((one) => one.kind === target.value) ?? kind;
              setKind(next);
              setScheme(next.scheme);
            }}
          >
            {KINDS.map((one) => (
              <option key={one.kind} value={one.kind}>
                {one.label}
              </option>
            ))}
          </select>
        </div>
        <fieldset>
          <legend>Where it may go, and nowhere else</legend>
          <div className={styles.place}>
            <div className={styles.choice}>
              <label htmlFor={`${id}-scheme`}>Protocol</label>
              <select
                id={`${id}-scheme`}
                value={scheme}
                onChange={({ target }) => setScheme(target.value)}
              >
                {Object.keys(SCHEMES).map((one) => (
                  <option key={one}>{one}</option>
                ))}
              </select>
            </div>
            <Field
              label="Hosts"
              name="hosts"
              required
              placeholder="api.example.com"
              hint="names, or *.NAME; commas between"
            />
            <Field
              key={scheme}
              label="Port"
              name="port"
              required
              inputMode="numeric"
              defaultValue={SCHEMES[scheme]}
            />
          </div>
        </fieldset>
        {kind.members.map(({ name, label, hint, isNeeded = false, preset }) => (
          <Field
            key={`${kind.kind} ${name}`}
            label={label}
            name={`how.${name}`}
            required={isNeeded}
            hint={hint}
            defaultValue={preset}
          />
        ))}
        <SecretField key={kind.kind} label={kind.secret} isKey={kind.isKey === true} />
      </Form>
    </Dialog>
  );
}

/** Lines of a key are kept; what was copied with a line end behind it is not meant to have it. */
function secretOf(of: (name: string) => string, isKey: boolean): string {
  return isKey ? of("secret").replaceAll("\r\n", "\n") : of("secret").trim();
}

export function Rotate({ info, onClose }: { info: CredentialInfo; onClose: () => void }) {
  const kind = KINDS.find((one) => one.kind === info.how["kind"]);
  const isKey = kind?.isKey === true;
  return (
    <Dialog title={`Rotate ${info.name}`} onClose={onClose}>
      <p>
        The new secret takes the place of the old one at once, also in runs that go on: they hold a
        placeholder, which stays the same.
      </p>
      <Form
        label="Rotate"
        onClose={onClose}
        send={async (of) => {
          await ask("credential.rotate", {
            name: info.name,
            secret: { value: secretOf(of, isKey) },
          });
          onClose();
        }}
      >
        <SecretField label={`New ${(kind?.secret ?? "secret").toLowerCase()}`} isKey={isKey} />
      </Form>
    </Dialog>
  );
}

export function Revoke(props: {
  readonly info: CredentialInfo;
  readonly live: readonly Lent[];
  readonly onClose: () => void;
}) {
  const { info, live, onClose } = props;
  return (
    <Dialog title={`Revoke ${info.name}`} onClose={onClose}>
      <p>
        It is removed from the vault, and nobody is lent it any more. At{" "}
        {info.binding.hosts.join(", ")} it is still good: take it back there, too.
      </p>
      <p>
        {live.length === 0
          ? "No live run has it."
          : `${plural(live.length, "live run")} ${live.length === 1 ? "has" : "have"} it: ${live.map(({ task, run }) => `${task} (${run})`).join(", ")}. From then on their requests with it are refused.`}
      </p>
      <Form
        label="Revoke"
        kind="danger"
        onClose={onClose}
        send={async () => {
          await ask("credential.revoke", { name: info.name });
          onClose();
        }}
      />
    </Dialog>
  );
}

export function Test({ info, onClose }: { info: CredentialInfo; onClose: () => void }) {
  const [result, setResult] = useState<{ verdict: string; status: number; target: string }>();
  const { hosts } = info.binding;
  const [first = ""] = hosts;
  const isPattern = hosts.length > 1 || first.startsWith("*");
  return (
    <Dialog title={`Test ${info.name}`} onClose={onClose}>
      <p>One request with it, to a place that it is bound to; only the status is told.</p>
      <Form
        label="Send"
        onClose={onClose}
        send={async (of) =>
          setResult(
            await ask("credential.test", {
              name: info.name,
              method: "GET",
              path: of("path"),
              ...(isPattern ? { host: of("host") } : {}),
            }),
          )
        }
      >
        {isPattern ? <Field label="Host" name="host" required hint={hosts.join(", ")} /> : null}
        <Field label="Path" name="path" defaultValue="/" required pattern="/[!-~]*" />
        {result === undefined ? null : (
          <p role="status" className={result.verdict === "refused" ? styles.wrong : styles.good}>
            <strong>{result.verdict}</strong>: {result.target} answered {result.status}
          </p>
        )}
      </Form>
    </Dialog>
  );
}

export function Unlock({ error, mayUnlock }: { error: unknown; mayUnlock: boolean }) {
  return (
    <div className={styles.unlock}>
      <h1>Credentials</h1>
      <Failure error={error} />
      {mayUnlock ? (
        <Form
          label="Unlock"
          send={async (of) => ask("credential.unlock", { passphrase: of("passphrase") })}
        >
          <Field
            label="Passphrase of the vault"
            name="passphrase"
            type="password"
            autoComplete="off"
            required
            data-secret=""
            hint="The vault is open from then on until the daemon ends."
          />
        </Form>
      ) : null}
    </div>
  );
}
