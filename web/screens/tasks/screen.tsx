/**
 * The list of task files, or one of them open; which one is in the address.
 *
 * @module
 */
import { useEffect } from "react";
import { useSearchParams } from "wouter";
import { useHistoryState } from "wouter/use-browser-location";
import { useRole } from "../../app/session.ts";
import { useCall } from "../../calls/index.ts";
import { Failure, Loading } from "../../parts/index.ts";
import { CopyOf } from "./copy-of.tsx";
import { putDraft, useDrafts, useLeaveGuard } from "./drafts.ts";
import { TaskDesk } from "./desk.tsx";
import { TaskList } from "./list.tsx";

export function TasksScreen() {
  const [search, setSearch] = useSearchParams();
  useLeaveGuard();
  const place = search.get("place");
  const onOpen = (next: string) => setSearch({ place: next });
  if (place === null) return <TaskList onOpen={onOpen} />;
  return (
    <OpenTask
      key={place}
      place={place}
      line={Number(search.get("line") ?? 0)}
      onOpen={onOpen}
      onClose={() => setSearch({})}
    />
  );
}

/** A text that another screen sends here, with its place. */
interface Sent {
  readonly place: string;
  readonly source: string;
}

function OpenTask(props: {
  readonly place: string;
  readonly line: number;
  readonly onOpen: (place: string) => void;
  readonly onClose: () => void;
}) {
  const { place, line, onOpen, onClose } = props;
  const drafts = useDrafts();
  const sent = useHistoryState<Sent | null>();
  const mayWrite = useRole("operator");
  const draft = drafts.get(place);
  // What is new is nowhere to be read yet.
  const isNew = draft !== undefined && draft.base === undefined;
  const read = useCall("task.read", { place }, { enabled: !isNew });
  useEffect(() => {
    const { data } = read;
    if (data === undefined || !data.isEditable) return;
    const isSent = sent?.place === place && sent.source !== data.source;
    if (draft === undefined) {
      const text = isSent ? sent.source : data.source;
      putDraft({ place, text, saved: data.source, base: data.digest });
    }
  }, [read, draft, place, sent]);
  if (read.error !== null && draft === undefined) return <Failure error={read.error} />;
  if (draft !== undefined) {
    return <TaskDesk draft={draft} line={line} mayWrite={mayWrite} onClose={onClose} />;
  }
  if (read.data === undefined) return <Loading what="Reading" />;
  if (read.data.isEditable) return <Loading what="Opening" />;
  const text = sent?.place === place ? sent.source : read.data.source;
  return <CopyOf text={{ ...read.data, source: text }} onOpen={onOpen} onClose={onClose} />;
}
