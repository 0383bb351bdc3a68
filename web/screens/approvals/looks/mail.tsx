/** Mail: envelope, people, texts, files and every header. */
import { useMutation } from "@tanstack/react-query";
import type { LookAttachment, LookLetter, LookOf } from "../../../../src/api/index.ts";
import { ask } from "../../../calls/index.ts";
import { Badge, Button, bytesText, Failure, plural, Untrusted } from "../../../parts/index.ts";
import { Bytes } from "../bytes.tsx";
import { JsonText, Lines } from "../text.tsx";
import { Passages } from "./passage.tsx";
import styles from "../approvals.module.css";

interface Around {
  readonly id: string;
  /** Recipients whom nothing has reached before. */
  readonly strangers: readonly string[];
}

export function MailView({ look, ...around }: { look: LookOf<"mail"> } & Around) {
  const { letters, isPresent } = look;
  return (
    <>
      {isPresent ? <p>As the system has it now; the request only names it:</p> : null}
      {letters.map((letter, at) => (
        <article
          key={at}
          className={styles.letter}
          aria-label={`Mail ${at + 1} of ${letters.length}`}
        >
          {letters.length > 1 ? <h3>{`Mail ${at + 1} of ${letters.length}`}</h3> : null}
          <LetterView letter={letter} {...around} />
        </article>
      ))}
    </>
  );
}

function LetterView({ letter, ...around }: { letter: LookLetter } & Around) {
  const { envelope, people, passages, attachments, headers, rest } = letter;
  const sender = envelope?.from[0] ?? people.find(({ label }) => label === "From")?.lines[0] ?? "";
  return (
    <>
      <dl className={styles.facts}>
        {envelope === undefined ? null : (
          <Envelope envelope={envelope} sender={sender} {...around} />
        )}
        {people.map(({ label, lines }) => (
          <div key={label}>
            <dt>{label}</dt>
            <dd>
              {lines.map((line, at) => (
                <Person key={at} address={line} sender={sender} {...around} />
              ))}
            </dd>
          </div>
        ))}
      </dl>
      <Passages passages={passages} />
      {attachments.length === 0 ? null : (
        <section aria-label="Files">
          <h3>Files ({attachments.length})</h3>
          {attachments.map((file, at) => (
            <FileView key={at} id={around.id} file={file} place={at + 1} />
          ))}
        </section>
      )}
      {headers.length === 0 ? null : (
        <details>
          <summary>{plural(headers.length, "header field")}</summary>
          <Lines items={headers} />
        </details>
      )}
      {rest === undefined ? null : <JsonText value={rest} />}
    </>
  );
}

function Envelope({
  envelope: { from, recipients, unreached },
  sender,
  ...around
}: { envelope: NonNullable<LookLetter["envelope"]>; sender: string } & Around) {
  return (
    <>
      <div>
        <dt>Sent as</dt>
        <dd>
          <Lines items={from} />
        </dd>
      </div>
      <div>
        <dt>Goes to ({recipients.length})</dt>
        <dd>
          {recipients.map(({ address, named }, at) => (
            <Person key={at} address={address} sender={sender} {...around}>
              {named === "" ? (
                <Badge tone="wait">blind copy: no header names it</Badge>
              ) : (
                <span className={styles.quiet}>{named}</span>
              )}
            </Person>
          ))}
        </dd>
      </div>
      {unreached.length === 0 ? null : (
        <div>
          <dt>Named, not sent to</dt>
          <dd>
            <Lines items={unreached} />
          </dd>
        </div>
      )}
    </>
  );
}

/** An address, with what is worth knowing of it: never reached before, and of another domain than the sender's. */
export function Person(
  props: { address: string; sender: string; children?: React.ReactNode } & Around,
) {
  const { address, sender, strangers, children } = props;
  const bare = bareOf(address);
  return (
    <div className={styles.person}>
      <Untrusted text={address} />
      {strangers.some((one) => bareOf(one) === bare) ? <Badge tone="wait">new</Badge> : null}
      {sender !== "" && domainOf(bare) !== domainOf(bareOf(sender)) && domainOf(bare) !== "" ? (
        <Badge tone="info">outside</Badge>
      ) : null}
      {children}
    </div>
  );
}

function bareOf(address: string): string {
  return (/<([^<>]+)>\s*$/.exec(address)?.[1] ?? address).trim().toLowerCase();
}

function domainOf(address: string): string {
  const at = address.lastIndexOf("@");
  return at < 0 ? "" : address.slice(at + 1);
}

function FileView({ id, file, place }: { id: string; file: LookAttachment; place: number }) {
  const { name, type, bytes, sha256, from } = file;
  const opening = useMutation({
    mutationFn: async (sum: string) => ask("approvals.attachment", { id, sha256: sum }),
  });
  return (
    <div className={styles.file}>
      <div className={styles.person}>
        <strong>
          <Untrusted text={name} />
        </strong>
        <span className={styles.quiet}>
          <Untrusted text={type} />
        </span>
        {bytes === undefined ? null : <span>{bytesText(bytes)}</span>}
        {from === undefined ? null : (
          <span>
            from <Untrusted text={from} />
          </span>
        )}
        {sha256 === undefined ? null : (
          <Button onClick={() => opening.mutate(sha256)} aria-label={`Look into it: file ${place}`}>
            Look into it
          </Button>
        )}
      </div>
      {sha256 === undefined ? null : <code className={styles.sum}>SHA-256 {sha256}</code>}
      {opening.error === null ? null : <Failure error={opening.error} />}
      {opening.data === undefined ? null : (
        <Bytes base64={opening.data.bytes} name={`${id}-file-${place}.bin`} />
      )}
    </div>
  );
}
