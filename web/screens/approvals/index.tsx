/**
 * Approvals: an inbox on the left, the card that is open on the right; on a phone one of them. Keys do everything but
 * say yes: that is one press more, on a button that says what will happen.
 *
 * @module
 */
import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useLocation } from "wouter";
import type { ApprovalInfo } from "../../../src/api/index.ts";
import { Command, Empty, Failure, Loading, plural, useKeys } from "../../parts/index.ts";
import { LAST_YES } from "./approve.ts";
import { Batch } from "./batch.tsx";
import { CardPane } from "./card.tsx";
import { Help } from "./help.tsx";
import { useInbox, type Inbox } from "./inbox.ts";
import { quiet } from "./quiet.ts";
import { InboxList } from "./list.tsx";
import { useUndo } from "./approve.ts";
import { UndoBar } from "./undo.tsx";
import styles from "./approvals.module.css";

export function ApprovalsScreen() {
  const inbox = useInbox();
  const [path, navigate] = useLocation();
  const id = /^\/(p-[0-9a-z]{1,20})$/.exec(path)?.[1];
  const [picked, setPicked] = useState<ReadonlySet<string>>(new Set());
  const [isHelp, setHelp] = useState(false);
  const undo = useUndo();
  const open = (next: string | undefined) => navigate(next === undefined ? "/" : `/${next}`);
  const pick = (one: string) => setPicked((now) => toggled(now, one));
  const chosen = inbox.waiting.filter((one) => picked.has(one.id));
  const isBatch = path === "/alike" && chosen.length > 0;
  const last = useLastYes(inbox);
  useKeys(
    quiet({
      j: () => open(besideOf(inbox, id, 1)),
      k: () => open(besideOf(inbox, id, -1)),
      x: () => id !== undefined && pick(id),
      u: () => last !== undefined && undo.mutate({ id: last.id }),
      "?": () => setHelp(true),
      Escape: () => (path === "/" ? false : open(undefined)),
    }),
  );
  if (inbox.isPending) return <Loading what="Reading what waits" />;
  if (inbox.error !== null) return <Failure error={inbox.error} />;
  const isOpen = id !== undefined || isBatch;
  return (
    <div className={styles.screen} data-open={isOpen}>
      <div className={styles.left}>
        <header className={styles.top}>
          <h1>Approvals</h1>
          <span role="status" className="visually-hidden">
            {plural(inbox.waiting.length, "waits", "wait")}
          </span>
          <button type="button" className={styles.keys} onClick={() => setHelp(true)}>
            Keys <kbd>?</kbd>
          </button>
        </header>
        {inbox.waiting.length === 0 ? (
          <NothingWaits />
        ) : (
          <InboxList
            waiting={inbox.waiting}
            open={id}
            picked={new Set(chosen.map((one) => one.id))}
            onPick={pick}
            onReview={() => navigate("/alike")}
          />
        )}
        <UndoBar undoable={inbox.undoable} undo={undo} />
      </div>
      <div className={styles.right}>
        {isBatch ? (
          <Batch
            chosen={chosen.map((one) => one.id)}
            onClose={() => {
              setPicked(new Set());
              open(undefined);
            }}
          />
        ) : id === undefined ? (
          inbox.waiting.length === 0 ? null : (
            <Empty title="Choose one">
              <kbd>j</kbd> opens the first. A card that is opened counts as shown to you, and is on
              record as that.
            </Empty>
          )
        ) : (
          <CardPane
            key={id}
            id={id}
            onBack={() => open(undefined)}
            onNext={besideOf(inbox, id, 1) === id ? undefined : () => open(besideOf(inbox, id, 1))}
          />
        )}
      </div>
      {isHelp ? <Help onClose={() => setHelp(false)} /> : null}
    </div>
  );
}

/** What `u` takes back: what was approved here last, else what is done next. */
function useLastYes({ undoable }: Inbox): ApprovalInfo | undefined {
  const id = useQueryClient().getQueryData(LAST_YES);
  const next = undoable.toSorted((a, b) => (a.notBefore ?? "").localeCompare(b.notBefore ?? ""));
  return undoable.find((one) => one.id === id) ?? next[0];
}

function NothingWaits() {
  return (
    <div className={styles.nothing}>
      <h2>Nothing waits for you</h2>
      <p>
        What a run may do only with a person’s yes (to publish, send, delete, spend) appears here as
        soon as it is asked for, whole, as its system will show it. This starts a run that asks:
      </p>
      <Command line="cofferdam run --profile ops-agent -- claude" />
    </div>
  );
}

/** The one before or after; the first where none is open, or the open one is over. */
function besideOf({ waiting }: Inbox, id: string | undefined, step: 1 | -1): string | undefined {
  const at = waiting.findIndex((one) => one.id === id);
  if (at < 0) return waiting[0]?.id;
  return waiting[Math.min(Math.max(at + step, 0), waiting.length - 1)]?.id;
}

function toggled(now: ReadonlySet<string>, one: string): ReadonlySet<string> {
  const next = new Set(now);
  if (!next.delete(one)) next.add(one);
  return next;
}
