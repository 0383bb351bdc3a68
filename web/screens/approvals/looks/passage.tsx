/** A text that somebody will read: as they see it, where it leads, what they do not see, and its source. */
import { useState } from "react";
import type { Passage } from "../../../../src/api/index.ts";
import { Tabs } from "../../../parts/index.ts";
import { ForeignPage } from "../../../parts/frame.tsx";
import { Lines, LongText } from "../text.tsx";
import styles from "../approvals.module.css";

const TITLE_CHARS = 200;

export function Passages({ passages }: { passages: readonly Passage[] }) {
  return passages.map((passage, at) => <PassageView key={at} passage={passage} />);
}

function PassageView({ passage }: { passage: Passage }) {
  const { label, text, about, html } = passage;
  const isShort = html === undefined && text.length <= TITLE_CHARS && !text.includes("\n");
  return (
    <section className={isShort ? styles.fact : styles.passage} aria-label={label}>
      <h3>{label}</h3>
      {about === undefined ? null : (
        <p className={styles.quiet}>
          {about.label}: <LongText text={about.line} />
        </p>
      )}
      {html === undefined ? <LongText text={text} /> : <HtmlView text={text} html={html} />}
    </section>
  );
}

function HtmlView({ text, html }: { text: string; html: NonNullable<Passage["html"]> }) {
  const [view, setView] = useState("page");
  const { lines, links, unseen, preview, isWhole } = html;
  return (
    <>
      <Tabs
        label="How it is shown"
        items={[
          { id: "page", label: "As its readers see it" },
          { id: "text", label: "Text" },
          { id: "source", label: "Source" },
        ]}
        selected={view}
        onSelect={setView}
      />
      {view === "page" ? (
        <ForeignPage
          html={preview}
          label="What readers will see, without styles; nothing in it acts"
        />
      ) : (
        <LongText text={view === "text" ? lines.join("\n") : text} />
      )}
      {links.length === 0 ? null : (
        <div className={styles.aside}>
          <h4>Links and what is loaded ({links.length})</h4>
          <Lines items={links} />
        </div>
      )}
      {unseen.length === 0 ? null : (
        <div className={styles.aside}>
          <h4>Not seen by its readers ({unseen.length})</h4>
          <Lines items={unseen} />
        </div>
      )}
      {isWhole ? null : (
        <p className={styles.quiet}>Its source says more than this: see “Source”.</p>
      )}
    </>
  );
}
