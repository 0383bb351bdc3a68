/** Ledger: the whole record, searched on the server, read at any depth, proven entry by entry. */
import { useCallback, useEffect, useRef, useState } from "react";
import { Route, useLocation, useSearch } from "wouter";
import { ask, useCall } from "../../calls/index.ts";
import { useLive } from "../../live/index.ts";
import { Button, countText, Empty, Failure, Loading, plural } from "../../parts/index.ts";
import { Export, Verify } from "./actions.tsx";
import { EntryPane } from "./entry.tsx";
import { List, STRETCH_ROWS } from "./list.tsx";
import { parseQuery } from "./query.ts";
import { useRows } from "./rows.ts";
import { Facets, Search } from "./search.tsx";
import styles from "./ledger.module.css";

export function LedgerScreen() {
  const [, navigate] = useLocation();
  const text = new URLSearchParams(useSearch()).get("q") ?? "";
  const onText = useCallback((next: string) => navigate(addressOf("/", next)), [navigate]);
  return (
    <Route path="/:seq?">
      {({ seq }) => (
        <Record
          text={text}
          seq={seq === undefined || !/^\d{1,15}$/.test(seq) ? undefined : Number(seq)}
          onText={onText}
        />
      )}
    </Route>
  );
}

/** An address within this screen; the search goes along. */
function addressOf(path: string, text: string): string {
  return text === "" ? path : `${path}?q=${encodeURIComponent(text)}`;
}

function Record(props: {
  readonly text: string;
  readonly seq: number | undefined;
  readonly onText: (text: string) => void;
}) {
  const { text, seq, onText } = props;
  const { query } = parseQuery(text);
  const found = useCall("ledger.search", { query });
  const linkOf = (entry: number) => addressOf(`/${entry}`, text);
  return (
    <div className={styles.screen}>
      <header className={styles.head}>
        <h1>Ledger</h1>
        <Indexing />
        <div className={styles.buttons}>
          <Verify linkOf={linkOf} />
          <Export query={query} count={found.data?.count ?? 0} />
        </div>
      </header>
      <Search text={text} onText={onText} />
      <div className={seq === undefined ? styles.columns : styles.columnsWithPane}>
        <details className={styles.narrow} open={window.innerWidth > 720}>
          <summary>Narrow down</summary>
          <Facets query={query} text={text} onText={onText} />
        </details>
        <section className={styles.result} aria-label="Result">
          {found.isPending ? <Loading what="Searching" /> : null}
          {found.error === null ? null : <Failure error={found.error} />}
          {found.data === undefined ? null : (
            <Result key={JSON.stringify(query)} {...props} found={found.data} linkOf={linkOf} />
          )}
        </section>
        {seq === undefined ? null : (
          <EntryPane
            key={seq}
            seq={seq}
            linkOf={linkOf}
            searchOf={(of) => addressOf("/", of)}
            close={addressOf("/", text)}
          />
        )}
      </div>
    </div>
  );
}

interface Found {
  readonly count: number;
  readonly size: number;
}

/** How long one waits after news of more before one asks how much of it matches. */
const COUNT_MS = 800;

function Result(props: {
  readonly text: string;
  readonly seq: number | undefined;
  readonly onText: (text: string) => void;
  readonly found: Found;
  readonly linkOf: (seq: number) => string;
}) {
  const { text, seq, onText, found, linkOf } = props;
  const { query } = parseQuery(text);
  const [, navigate] = useLocation();
  const rows = useRows(query);
  // What is read stays where it is: newer ones are counted, and shown when one asks for them.
  const [shown, setShown] = useState(found.count);
  const [skipped, setSkipped] = useState(0);
  const [goTo, setGoTo] = useState<{ readonly place: number }>();
  const [isFollowing, setIsFollowing] = useState(false);
  const count = useGrowing(text, found.count);
  const waiting = count - shown;
  useEffect(() => {
    if (!isFollowing || waiting <= 0) return;
    setSkipped(0);
    setShown(count);
    setGoTo({ place: 0 });
  }, [isFollowing, waiting, count]);
  const showNewest = () => {
    setShown(count);
    setSkipped(0);
    setGoTo({ place: 0 });
  };
  const goToEntry = async (entry: number) => {
    const { offset = 0 } = await ask("ledger.search", { query, near: entry });
    const place = Math.max(0, shown - 1 - offset);
    setSkipped(Math.floor(place / STRETCH_ROWS) * STRETCH_ROWS);
    setGoTo({ place });
  };
  if (found.size === 0 && count === 0) {
    return (
      <Empty title="The record is empty" command="cofferdam run -- claude">
        Everything that runs do, and what was decided about it, stands here: signed, in order, and
        provable. It begins with the first run.
      </Empty>
    );
  }
  if (shown === 0 && count === 0) {
    return (
      <Empty title="Nothing matches">
        All {countText(found.size)} entries were looked through.{" "}
        <Button onClick={() => onText("")}>Show all of them</Button>
      </Empty>
    );
  }
  return (
    <>
      <div className={styles.bar}>
        <span className={styles.figure} role="status">
          {plural(shown, "entry", "entries")}
        </span>
        {waiting > 0 ? (
          <Button kind="primary" onClick={showNewest}>
            {plural(waiting, "new entry", "new entries")}
          </Button>
        ) : null}
        <GoTo onGo={goToEntry} />
        <label className={styles.follow}>
          <input
            type="checkbox"
            checked={isFollowing}
            onChange={({ target }) => setIsFollowing(target.checked)}
          />
          follow the newest
        </label>
      </div>
      <List
        rows={rows}
        count={shown}
        skipped={Math.min(skipped, Math.max(0, shown - 1))}
        selected={seq}
        linkOf={linkOf}
        onSelect={(entry) => navigate(linkOf(entry))}
        onSkip={(next) => {
          setSkipped(next);
          setGoTo({ place: next });
        }}
        goTo={goTo}
      />
    </>
  );
}

/** How much matches, kept up to date while the record grows. */
function useGrowing(text: string, first: number): number {
  const [count, setCount] = useState(first);
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  useLive("ledger", ({ event }) => {
    if (event !== "head" || timer.current !== undefined) return;
    timer.current = setTimeout(() => {
      timer.current = undefined;
      const { query } = parseQuery(text);
      // A count that cannot be had now is had with the next entry.
      ask("ledger.search", { query }).then(
        (found) => setCount((known) => Math.max(known, found.count)),
        () => {},
      );
    }, COUNT_MS);
  });
  useEffect(() => () => clearTimeout(timer.current), []);
  return Math.max(count, first);
}

function GoTo({ onGo }: { onGo: (seq: number) => Promise<void> }) {
  const [typed, setTyped] = useState("");
  const [failure, setFailure] = useState<unknown>();
  return (
    <form
      className={styles.goto}
      onSubmit={(event) => {
        event.preventDefault();
        const entry = Number(typed.replaceAll(/[^\d]/g, ""));
        if (typed !== "" && Number.isSafeInteger(entry)) {
          setFailure(undefined);
          onGo(entry).catch(setFailure);
        }
      }}
    >
      <input
        aria-label="Go to entry number"
        placeholder="Go to entry…"
        inputMode="numeric"
        value={typed}
        onChange={({ target }) => setTyped(target.value)}
      />
      {failure === undefined ? null : <Failure error={failure} />}
    </form>
  );
}

function Indexing() {
  const { data } = useCall("ledger.status", {}, { everyMs: 2000 });
  if (data === undefined) return null;
  if (data.fault !== undefined) return <p className={styles.problem}>{data.fault}</p>;
  const isBehind = data.size - data.indexed > 2000;
  return isBehind ? (
    <p role="status" className={styles.note}>
      The index is being made: {countText(data.indexed)} of {countText(data.size)} entries can be
      found so far.
    </p>
  ) : null;
}
