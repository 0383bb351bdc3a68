/** Who talked to what: programs or tool calls on the left, hosts on the right, lines as thick as what went over them. */
import { useMemo, useState } from "react";
import type { MapEdge, StoryMap } from "../../../src/api/index.ts";
import { useCall } from "../../calls/index.ts";
import {
  Badge,
  bytesText,
  countText,
  Empty,
  Failure,
  Loading,
  plural,
  Untrusted,
} from "../../parts/index.ts";
import { Detail } from "./detail.tsx";
import { layout, NODE_PX } from "./map-layout.ts";
import type { PartProps } from "./parts.ts";
import { baseName } from "./words.ts";
import styles from "./map.module.css";
import split from "./timeline.module.css";

const WIDTH = 900;
const [LEFT, RIGHT] = [300, 600];
const LABEL_CHARS = 40;
const EVERY_MS_MIN = 2000;

export function MapView({ run, place, go, everyMs }: PartProps) {
  const [by, setBy] = useState<"program" | "call">("program");
  const [isList, setList] = useState(false);
  const [chosen, setChosen] = useState<string>();
  const again = everyMs === undefined ? {} : { everyMs: Math.max(everyMs, EVERY_MS_MIN) };
  const asked = useCall("run.map", { run, by }, again);
  if (asked.error !== null) return <Failure error={asked.error} />;
  if (asked.isPending) return <Loading what="Drawing the map" />;
  const map = asked.data;
  const shown = chosen === undefined ? map : only(map, chosen);
  return (
    <div className={place.item === undefined ? styles.box : `${styles.box} ${split.withDetail}`}>
      <div className={styles.head}>
        <fieldset className={styles.switch}>
          <legend className="visually-hidden">Who</legend>
          {(["program", "call"] as const).map((one) => (
            <label key={one}>
              <input
                type="radio"
                name="by"
                checked={by === one}
                onChange={() => {
                  setBy(one);
                  setChosen(undefined);
                }}
              />
              {one === "program" ? "By program" : "By tool call"}
            </label>
          ))}
        </fieldset>
        <label className={split.check}>
          <input
            type="checkbox"
            checked={isList}
            onChange={({ target }) => setList(target.checked)}
          />
          As a list
        </label>
        {chosen === undefined ? null : (
          <button type="button" className={split.plain} onClick={() => setChosen(undefined)}>
            Show all
          </button>
        )}
        <span className={styles.muted}>
          {plural(map.actors.length, by === "call" ? "actor" : "program")},{" "}
          {plural(map.places.length, "host")}
        </span>
        {map.left.edges > 0 ? (
          <span className={styles.muted}>
            {countText(map.left.edges)} more pairs have no room: {bytesText(map.left.bytesOut)} out,{" "}
            {countText(map.left.deny)} refused
          </span>
        ) : null}
      </div>
      {map.edges.length === 0 ? (
        <Empty title="Nobody has talked to anything">
          As soon as a process of the run opens a connection, or is refused one, it stands here with
          where it went and how much.
        </Empty>
      ) : (
        <div className={split.split}>
          <div className={styles.scroll} tabIndex={0} role="region" aria-label="Map">
            {isList ? (
              <List map={shown} onOpen={(item) => go({ item })} />
            ) : (
              <Picture
                map={shown}
                chosen={chosen}
                onChoose={(id) => setChosen(id === chosen ? undefined : id)}
                onOpen={(item) => go({ item })}
              />
            )}
          </div>
          {place.item === undefined ? null : (
            <Detail run={run} id={place.item} go={go} everyMs={everyMs} />
          )}
        </div>
      )}
    </div>
  );
}

function only(map: StoryMap, id: string): StoryMap {
  const edges = map.edges.filter(({ from, to }) => `a ${from}` === id || `p ${to}` === id);
  return {
    ...map,
    edges,
    actors: map.actors.filter((one) => edges.some(({ from }) => from === one.id)),
    places: map.places.filter((one) => edges.some(({ to }) => to === one.id)),
  };
}

function Picture(props: {
  readonly map: StoryMap;
  readonly chosen: string | undefined;
  readonly onChoose: (id: string) => void;
  readonly onOpen: (item: string) => void;
}) {
  const { map, chosen, onChoose, onOpen } = props;
  const { actors, places, height } = useMemo(() => layout(map), [map]);
  const most = Math.max(1, ...map.edges.map((edge) => edge.bytesOut + edge.bytesIn));
  return (
    <div className={styles.picture} style={{ height: height + NODE_PX / 2 }}>
      <svg viewBox={`0 0 ${WIDTH} ${height}`} preserveAspectRatio="none" aria-hidden="true">
        {map.edges.map((edge) => {
          const [y1, y2] = [actors.get(edge.from) ?? 0, places.get(edge.to) ?? 0];
          const middle = (LEFT + RIGHT) / 2;
          const weight = 1.2 + 9 * Math.sqrt((edge.bytesOut + edge.bytesIn) / most);
          return (
            <path
              key={`${edge.from} ${edge.to}`}
              className={edge.deny + edge.findings > 0 ? styles.refused : styles.line}
              d={`M${LEFT} ${y1}C${middle} ${y1} ${middle} ${y2} ${RIGHT} ${y2}`}
              strokeWidth={weight}
              onClick={() => onOpen(edge.item)}
            />
          );
        })}
      </svg>
      <ul aria-label="Who" className={styles.actors}>
        {map.actors.map(({ id, label }) => (
          <li key={id} style={{ top: (actors.get(id) ?? 0) - NODE_PX / 2 }}>
            <button
              type="button"
              aria-pressed={chosen === `a ${id}`}
              onClick={() => onChoose(`a ${id}`)}
            >
              <Untrusted text={short(id.startsWith("call ") ? label : baseName(label))} />
            </button>
          </li>
        ))}
      </ul>
      <ul aria-label="Where to" className={styles.places}>
        {map.places.map(({ id, label }) => {
          const refused = map.edges.some((one) => one.to === id && one.deny > 0);
          return (
            <li key={id} style={{ top: (places.get(id) ?? 0) - NODE_PX / 2 }}>
              <button
                type="button"
                className={refused ? styles.isRefused : undefined}
                aria-pressed={chosen === `p ${id}`}
                onClick={() => onChoose(`p ${id}`)}
              >
                <Untrusted text={short(label)} />
                <small>{volumeText(map.edges.filter(({ to }) => to === id))}</small>
              </button>
            </li>
          );
        })}
      </ul>
    </div>
  );
}

function volumeText(edges: readonly MapEdge[]): string {
  const sum = (pick: (edge: MapEdge) => number) => edges.reduce((all, edge) => all + pick(edge), 0);
  const [out, back, deny] = [sum((e) => e.bytesOut), sum((e) => e.bytesIn), sum((e) => e.deny)];
  const volume = out + back === 0 ? "" : `↑${bytesText(out)} ↓${bytesText(back)}`;
  return [volume, deny === 0 ? "" : `${countText(deny)} refused`].filter(Boolean).join(" ");
}

function short(text: string): string {
  return text.length > LABEL_CHARS ? `${text.slice(0, LABEL_CHARS - 1)}…` : text;
}

/** The same as a table, for whoever does not look at pictures. */
function List({ map, onOpen }: { map: StoryMap; onOpen: (item: string) => void }) {
  const labels = new Map(map.actors.map(({ id, label }) => [id, label]));
  return (
    <table className={styles.table}>
      <thead>
        <tr>
          <th>Who</th>
          <th>Where to</th>
          <th>Systems</th>
          <th className={styles.number}>Connections</th>
          <th className={styles.number}>Actions</th>
          <th className={styles.number}>Out</th>
          <th className={styles.number}>Back</th>
          <th>Verdicts</th>
        </tr>
      </thead>
      <tbody>
        {map.edges.map((edge) => (
          <tr key={`${edge.from} ${edge.to}`}>
            <td>
              <button type="button" className={split.plain} onClick={() => onOpen(edge.item)}>
                <Untrusted text={short(labels.get(edge.from) ?? edge.from)} />
              </button>
            </td>
            <td>
              <Untrusted text={short(edge.to)} />
            </td>
            <td>
              <Untrusted text={edge.systems.join(", ")} />
            </td>
            <td className={styles.number}>{countText(edge.connections)}</td>
            <td className={styles.number}>{countText(edge.actions)}</td>
            <td className={styles.number}>{bytesText(edge.bytesOut)}</td>
            <td className={styles.number}>{bytesText(edge.bytesIn)}</td>
            <td>
              {edge.allow > 0 ? (
                <Badge tone="ok">{`${countText(edge.allow)} allowed`}</Badge>
              ) : null}{" "}
              {edge.confirm > 0 ? (
                <Badge tone="wait">{`${countText(edge.confirm)} confirm`}</Badge>
              ) : null}{" "}
              {edge.deny > 0 ? <Badge tone="bad">{`${countText(edge.deny)} refused`}</Badge> : null}{" "}
              {edge.findings > 0 ? (
                <Badge tone="bad">{plural(edge.findings, "finding")}</Badge>
              ) : null}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
