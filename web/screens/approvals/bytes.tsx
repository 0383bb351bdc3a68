/**
 * Bytes that will be sent, as text and as bytes, page by page, and to take along: as a file of no type, which nothing
 * opens by itself.
 *
 * @module
 */
import { useMemo, useState } from "react";
import { Button, bytesText, Tabs, Untrusted } from "../../parts/index.ts";
import styles from "./approvals.module.css";

const TEXT_PAGE = 16_384;
const HEX_PAGE = 2048;
const ROW = 16;

export function Bytes({ base64, name }: { base64: string; name: string }) {
  const bytes = useMemo(() => decoded(base64), [base64]);
  const [view, setView] = useState(isText(bytes) ? "text" : "hex");
  const [at, setAt] = useState(0);
  const size = view === "text" ? TEXT_PAGE : HEX_PAGE;
  const page = bytes.subarray(at, at + size);
  const choose = (id: string) => {
    setView(id);
    setAt(0);
  };
  if (bytes.length === 0)
    return <p className={styles.quiet}>Nothing is sent besides the request.</p>;
  return (
    <div className={styles.bytes}>
      <div className={styles.buttons}>
        <Tabs
          label="How the bytes are shown"
          items={[
            { id: "text", label: "Text" },
            { id: "hex", label: "Bytes" },
          ]}
          selected={view}
          onSelect={choose}
        />
        <span className={styles.quiet}>{bytesText(bytes.length)}</span>
        <Button onClick={() => download(bytes, name)}>Download</Button>
      </div>
      <div className={styles.page} tabIndex={0} role="group" aria-label="Bytes that are sent">
        {view === "text" ? (
          <Untrusted text={textOf(page)} isBlock />
        ) : (
          <pre className={styles.hex}>{hexOf(page, at)}</pre>
        )}
      </div>
      {bytes.length <= size ? null : (
        <div className={styles.buttons}>
          <Button disabled={at === 0} onClick={() => setAt(Math.max(0, at - size))}>
            Before
          </Button>
          <span className={styles.quiet}>
            bytes {at + 1} to {Math.min(at + size, bytes.length)} of {bytes.length}
          </span>
          <Button disabled={at + size >= bytes.length} onClick={() => setAt(at + size)}>
            After
          </Button>
        </div>
      )}
    </div>
  );
}

export function decoded(base64: string): Uint8Array<ArrayBuffer> {
  const text = atob(base64);
  return Uint8Array.from(text, (one) => one.charCodeAt(0));
}

export function download(bytes: Uint8Array<ArrayBuffer>, name: string): void {
  const url = URL.createObjectURL(new Blob([bytes], { type: "application/octet-stream" }));
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}

export function textOf(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}

export function isText(bytes: Uint8Array): boolean {
  try {
    return !new TextDecoder("utf-8", { fatal: true }).decode(bytes).includes("\0");
  } catch {
    return false;
  }
}

function hexOf(bytes: Uint8Array, from: number): string {
  const rows: string[] = [];
  for (let at = 0; at < bytes.length; at += ROW) {
    const row = [...bytes.subarray(at, at + ROW)];
    const hex = row.map((one) => one.toString(16).padStart(2, "0")).join(" ");
    const text = row
      .map((one) => (one >= 32 && one < 127 ? String.fromCharCode(one) : "."))
      .join("");
    rows.push(`${(from + at).toString(16).padStart(8, "0")}  ${hex.padEnd(ROW * 3 - 1)}  ${text}`);
  }
  return rows.join("\n");
}
