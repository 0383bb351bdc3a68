/** The inbox: what waits, oldest first. */
import { useEffect, useRef, useState } from "react";
import { Link } from "wouter";
import type { ApprovalInfo } from "../../../src/api/index.ts";
import { Ago, Badge, Button, EffectBadge, plural, Untrusted } from "../../parts/index.ts";
import styles from "./approvals.module.css";

/** As many as a list has at once; oldest first, the rest comes when it is asked for. */
const SHOWN = 200;

export function InboxList(props: {
  readonly waiting: readonly ApprovalInfo[];
  readonly open: string | undefined;
  readonly picked: ReadonlySet<string>;
  readonly onPick: (id: string) => void;
  readonly onReview: () => void;
}) {
  const { waiting, open, picked, onPick, onReview } = props;
  const [max, setMax] = useState(SHOWN);
  const left = waiting.length - max;
  const list = useRef<HTMLUListElement>(null);
  useEffect(() => {
    list.current?.querySelector('[aria-current="true"]')?.scrollIntoView({ block: "nearest" });
  }, [open]);
  return (
    <nav aria-label="What waits" className={styles.inbox}>
      <ul ref={list}>
        {waiting.slice(0, max).map((one) => (
          <li key={one.id} className={styles.item} data-picked={picked.has(one.id)}>
            <input
              type="checkbox"
              aria-label={`Choose ${one.id}`}
              checked={picked.has(one.id)}
              onChange={() => onPick(one.id)}
            />
            <Link href={`/${one.id}`} aria-current={one.id === open}>
              <span className={styles.itemHead}>
                <strong>
                  <Untrusted text={`${one.system} · ${one.verb}`} />
                </strong>
                <Ago at={one.createdAt} />
              </span>
              <span className={styles.itemText}>
                <Untrusted text={one.summary} />
              </span>
              <span className={styles.itemFoot}>
                {one.effects.map((effect) => (
                  <EffectBadge key={effect} effect={effect} />
                ))}
                {one.needs > 1 ? (
                  <Badge tone="deep">{`${one.by.length} of ${one.needs}`}</Badge>
                ) : null}
                {one.variantOf === undefined ? null : <Badge tone="info">variant</Badge>}
                {one.note === "" ? null : <Badge tone="info">edited</Badge>}
              </span>
            </Link>
          </li>
        ))}
        {left <= 0 ? null : (
          <li className={styles.rest}>
            <Button onClick={() => setMax(max + SHOWN)}>
              {plural(left, "more waits", "more wait")}
            </Button>
          </li>
        )}
      </ul>
      {picked.size === 0 ? null : (
        <div className={styles.picked}>
          <Button kind="primary" onClick={onReview}>
            {`Look at ${picked.size} as one list`}
          </Button>
        </div>
      )}
    </nav>
  );
}
