/** A workflow as its system draws it: nodes, what leads where, and in red what can do most. */
import { useRef } from "react";
import type { LookNode, LookOf } from "../../../../src/api/index.ts";
import { Badge, plural, Untrusted, type Tone } from "../../../parts/index.ts";
import { JsonText, Lines } from "../text.tsx";
import styles from "../approvals.module.css";

type Workflow = LookOf<"workflow">;

const TONES: Readonly<Record<string, Tone>> = {
  unknown: "bad",
  code: "bad",
  database: "deep",
  http: "wait",
  mail: "wait",
  chat: "wait",
  ai: "info",
};
const [WIDTH, HEIGHT, GAP_X, GAP_Y, EDGE] = [168, 56, 60, 28, 12];
const SCALE_MIN = 0.7;

export function WorkflowView({ look }: { look: Workflow }) {
  const { name, isSent, state, starts, nodes, edges, connections } = look;
  const list = useRef<HTMLOListElement>(null);
  return (
    <>
      <dl className={styles.facts}>
        <div>
          <dt>Workflow</dt>
          <dd>
            <Untrusted text={name} /> {isSent ? null : "(as the system has it now)"}
          </dd>
        </div>
        <div>
          <dt>Is active</dt>
          <dd>
            <Untrusted text={state} />
          </dd>
        </div>
        <div>
          <dt>Starts by</dt>
          <dd>{starts.length === 0 ? "nothing of its own" : <Lines items={starts} />}</dd>
        </div>
      </dl>
      {edges === undefined ? (
        <p className={styles.warning}>
          Its connections are not known, or in no form that can be drawn: what there is of them
          stands below.
        </p>
      ) : (
        <Graph nodes={nodes} edges={edges} />
      )}
      <h3>{plural(nodes.length, "node")}, those first that can do most</h3>
      <ol ref={list} className={styles.nodes}>
        {nodes.map((node, at) => (
          <li key={at}>
            <details>
              <summary>
                <Untrusted text={node.name} /> <Badge tone={toneOf(node)}>{node.kind}</Badge>{" "}
                <span className={styles.quiet}>
                  {node.does}
                  {node.runsCode ? ", and RUNS CODE in an expression" : ""}
                  {node.isOff ? " (switched off)" : ""}
                </span>
                {node.call === undefined ? null : (
                  <div className={styles.quiet}>
                    <Untrusted text={node.call} />
                  </div>
                )}
                {node.credentials.length === 0 ? null : (
                  <div className={styles.quiet}>
                    uses <Untrusted text={node.credentials.join(", ")} />
                  </div>
                )}
              </summary>
              <JsonText value={node.source} />
            </details>
          </li>
        ))}
      </ol>
      {connections === undefined ? null : (
        <details open={edges === undefined}>
          <summary>Its connections, as the system told them</summary>
          <JsonText value={connections} />
        </details>
      )}
    </>
  );
}

function toneOf({ kind, runsCode }: LookNode): Tone {
  return runsCode ? "bad" : (TONES[kind] ?? "calm");
}

type Place = readonly [x: number, y: number];

function Graph({
  nodes,
  edges,
}: {
  nodes: readonly LookNode[];
  edges: NonNullable<Workflow["edges"]>;
}) {
  const places = placesOf(nodes, edges);
  const width = Math.max(...places.map(([x]) => x)) + WIDTH + EDGE;
  const height = Math.max(...places.map(([, y]) => y)) + HEIGHT + EDGE;
  if (nodes.length === 0) return null;
  return (
    <div className={styles.scroll} tabIndex={0} role="group" aria-label="Graph of the workflow">
      <svg
        width={width}
        height={height}
        viewBox={`0 0 ${width} ${height}`}
        role="img"
        aria-label={`${nodes.length} nodes, ${edges.length} connections; each node stands in the list below`}
        className={styles.graph}
        style={{ minWidth: width * SCALE_MIN }}
      >
        {edges.map(({ from, to, kind }, at) => (
          <path
            key={at}
            d={curve(places[from], places[to])}
            data-kind={kind === "main" ? "main" : "other"}
          />
        ))}
        {nodes.map((node, at) => {
          const [x = 0, y = 0] = places[at] ?? [];
          return (
            <g key={at} transform={`translate(${x} ${y})`} data-tone={toneOf(node)}>
              <rect width={WIDTH} height={HEIGHT} rx={8} />
              <text x={12} y={24}>
                {cut(node.name, 20)}
              </text>
              <text x={12} y={43} className={styles.kind}>
                {node.isOff ? `${node.kind}, off` : node.kind}
              </text>
            </g>
          );
        })}
      </svg>
    </div>
  );
}

/** Characters that draw or hide are not drawn: the list below has the name whole. */
function cut(text: string, chars: number): string {
  const plain = text.replaceAll(/[^\p{L}\p{N}\p{P}\p{S} ]/gu, "·");
  return plain.length > chars ? `${plain.slice(0, chars - 1)}…` : plain;
}

/** Layers from what starts it to what is last: where its system draws nodes is for its author, and may hide one. */
function placesOf(
  nodes: readonly LookNode[],
  edges: NonNullable<Workflow["edges"]>,
): readonly Place[] {
  const layer = nodes.map(() => 0);
  // As often as there are nodes: a circle moves on no further.
  for (let round = 0; round < nodes.length; round += 1) {
    let isMoved = false;
    for (const { from, to } of edges) {
      const next = Math.min((layer[from] ?? 0) + 1, nodes.length - 1);
      if (from === to || next <= (layer[to] ?? 0)) continue;
      layer[to] = next;
      isMoved = true;
    }
    if (!isMoved) break;
  }
  const used = [...new Set(layer)].sort((a, b) => a - b);
  const rows = new Map<number, number>();
  return layer.map((own): Place => {
    const column = used.indexOf(own);
    const row = rows.get(column) ?? 0;
    rows.set(column, row + 1);
    return [EDGE + column * (WIDTH + GAP_X), EDGE + row * (HEIGHT + GAP_Y)];
  });
}

function curve(from: Place | undefined, to: Place | undefined): string {
  if (from === undefined || to === undefined) return "";
  const [x, y] = [from[0] + WIDTH, from[1] + HEIGHT / 2];
  const [u, v] = [to[0], to[1] + HEIGHT / 2];
  const bend = Math.max(30, Math.abs(u - x) / 2);
  return `M${x} ${y}C${x + bend} ${y} ${u - bend} ${v} ${u} ${v}`;
}
