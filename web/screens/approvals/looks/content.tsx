/** The content of what waits, in its system's own look. */
import { bytesText, Untrusted } from "../../../parts/index.ts";
import { JsonText } from "../text.tsx";
import type { Shown } from "../words.ts";
import { CommandView } from "./command.tsx";
import { FileView } from "./file.tsx";
import { MailView } from "./mail.tsx";
import { Passages } from "./passage.tsx";
import { PaymentView } from "./payment.tsx";
import { PushView } from "./push.tsx";
import { SqlView } from "./sql.tsx";
import { WorkflowView } from "./workflow.tsx";
import styles from "../approvals.module.css";

export function Content({ shown }: { shown: Shown }) {
  const { id, look, strangers } = shown;
  const { content } = look;
  switch (content.kind) {
    case "post":
    case "message":
      return <Passages passages={content.passages} />;
    case "mail":
      return <MailView look={content} id={id} strangers={strangers} />;
    case "payment":
      return <PaymentView look={content} id={id} strangers={strangers} />;
    case "sql":
      return <SqlView look={content} />;
    case "command":
      return <CommandView look={content} />;
    case "file":
      return <FileView look={content} />;
    case "push":
      return <PushView look={content} />;
    case "workflow":
      return <WorkflowView look={content} />;
    case "raw":
      return (
        <p className={styles.warning}>
          {`${bytesText(content.bytes)} that nothing here reads: see “All bytes”.`}{" "}
          <code className={styles.sum}>SHA-256 {content.sha256}</code>
        </p>
      );
    case "call":
      return content.tool === undefined ? null : (
        <section aria-label="Tool">
          <h3>
            Tool <Untrusted text={content.tool} />
          </h3>
          {content.arguments === undefined ? null : <JsonText value={content.arguments} />}
        </section>
      );
    default:
      return content satisfies never;
  }
}

/** What makes one look twice: of all texts and letters. */
export function doubtsOf({ look: { content } }: Shown): readonly string[] {
  const passages =
    "passages" in content
      ? content.passages
      : content.kind === "mail"
        ? content.letters.flatMap((letter) => letter.passages)
        : [];
  const own = content.kind === "mail" ? content.letters.flatMap(({ doubts }) => doubts) : [];
  return [...new Set([...own, ...passages.flatMap(({ doubts }) => doubts)])];
}
