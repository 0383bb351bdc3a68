/** One run: its header, and what is looked at. */
import { lazy, Suspense, useState } from "react";
import { useCall } from "../../calls/index.ts";
import { Empty, Failure, Loading, Tabs, useKeys } from "../../parts/index.ts";
import { RunHeader } from "./header.tsx";
import { Help } from "./help.tsx";
import { TABS, usePlace, type Tab } from "./place.ts";
import { MapView } from "./map.tsx";
import { Processes } from "./processes.tsx";
import { Timeline } from "./timeline.tsx";
import { Workspace } from "./workspace.tsx";
import styles from "./run.module.css";

const RecordingsView = lazy(async () => ({
  default: (await import("./recordings.tsx")).Recordings,
}));

const LIVE_MS = 1000;
const ENDED_MS = 15_000;
const LABELS: Readonly<Record<Tab, string>> = {
  timeline: "Timeline",
  processes: "Processes",
  map: "Map",
  recordings: "Recordings",
  workspace: "Workspace",
};

export function RunView({ run }: { run: string }) {
  const [place, go] = usePlace();
  const [isHelp, setHelp] = useState(false);
  useKeys({ "?": () => setHelp(true) });
  const shown = useCall("run.show", { run }, { everyMs: 2 * LIVE_MS });
  const isLive = shown.data !== undefined && shown.data.state !== "ended";
  const recordings = useCall("recordings.list", { run }, isLive ? { everyMs: ENDED_MS } : {});
  if (shown.isPending) return <Loading what="Reading the run" />;
  if (shown.error !== null) {
    return shown.error.status === 404 || shown.error.status === 400 ? (
      <Empty title="There is no such run" command="cofferdam ps --all">
        The record knows no run {run}.
      </Empty>
    ) : (
      <Failure error={shown.error} />
    );
  }
  const info = shown.data;
  const props = { run, info, place, go, everyMs: isLive ? LIVE_MS : undefined };
  const items = TABS.map((id) => ({
    id,
    label: LABELS[id],
    ...(id === "recordings" && recordings.data !== undefined
      ? { count: recordings.data.length }
      : {}),
  }));
  return (
    <div className={styles.view}>
      <RunHeader info={info} />
      <Tabs
        label="Parts of the run"
        items={items}
        selected={place.tab}
        onSelect={(tab) => go({ tab: tab === "timeline" ? undefined : tab })}
      />
      <div className={styles.body} role="tabpanel" aria-label={LABELS[place.tab]}>
        {place.tab === "timeline" ? <Timeline {...props} /> : null}
        {place.tab === "processes" ? <Processes {...props} /> : null}
        {place.tab === "map" ? <MapView {...props} /> : null}
        {place.tab === "recordings" ? (
          <Suspense fallback={<Loading what="Opening the player" />}>
            <RecordingsView {...props} />
          </Suspense>
        ) : null}
        {place.tab === "workspace" ? <Workspace {...props} /> : null}
      </div>
      {isHelp ? <Help onClose={() => setHelp(false)} /> : null}
    </div>
  );
}
