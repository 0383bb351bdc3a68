/**
 * A page of others as a picture of itself: a frame in which nothing runs, loads, sends or leads away, whatever stands
 * in it. Three layers, each enough alone: the HTML was written anew from what was read (src/approval/look/preview.ts),
 * the frame is sandboxed with no exception, and its own policy takes nothing but pictures that it holds itself.
 *
 * @module
 */
import { useEffect, useRef } from "react";
import styles from "./frame.module.css";

const POLICY = "default-src 'none'; img-src data:; form-action 'none'; base-uri 'none'";

const SHORT_CHARS = 600; // A frame cannot say how high its page is.

interface FramePolicy {
  createHTML(html: string): string;
}
declare const trustedTypes:
  | { createPolicy(name: string, rules: FramePolicy): FramePolicy }
  | undefined;

/** The only one that the console's own policy allows, and it makes documents for such frames alone. */
const pages: FramePolicy =
  typeof trustedTypes === "undefined"
    ? { createHTML: (html) => html }
    : trustedTypes.createPolicy("cofferdam-frame", { createHTML: (html) => html });

/** `label` says whose page it is; it stands outside of the frame, where the page cannot reach. */
export function ForeignPage({ html, label }: { html: string; label: string }) {
  const frame = useRef<HTMLIFrameElement>(null);
  useEffect(() => {
    // Set by hand: React would make text of what the browser wants from the policy.
    if (frame.current !== null) frame.current.srcdoc = pages.createHTML(pageOf(html));
  }, [html]);
  return (
    <figure className={styles.page}>
      <figcaption>{label}</figcaption>
      <iframe
        ref={frame}
        data-short={html.length < SHORT_CHARS}
        sandbox=""
        title={label}
        referrerPolicy="no-referrer"
      />
    </figure>
  );
}

/** On white paper in the browser's own type, as nothing of the console is. */
function pageOf(html: string): string {
  return `<!doctype html><html><head><meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="${POLICY}"></head><body bgcolor="#ffffff" text="#111111">${html}</body></html>`;
}
