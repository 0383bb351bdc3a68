/** The same as a table: for whoever does not look at pictures, and for phones. */
import { useMemo } from "react";
import type { BlastPicture } from "../../../src/api/index.ts";
import { Badge, Untrusted } from "../../parts/index.ts";
import styles from "./graph.module.css";

export function GraphTable({ picture, lit }: { picture: BlastPicture; lit: ReadonlySet<string> }) {
  const rows = useMemo(() => rowsOf(picture), [picture]);
  return (
    // It scrolls, so keys must get there.
    <div className={styles.rows} tabIndex={0} role="region" aria-label="Steps as a table">
      <table>
        <thead>
          <tr>
            <th scope="col">Step</th>
            <th scope="col">Follows from</th>
            <th scope="col">Rests on</th>
          </tr>
        </thead>
        <tbody>
          {rows.map(({ node, from }) => (
            <tr key={node.id} data-on={lit.has(node.id) || undefined}>
              <th scope="row">
                <Untrusted text={node.label} />{" "}
                {node.persons > 0 ? <Badge tone="wait">needs a yes</Badge> : null}
                {node.isAssumed ? <Badge tone="info">assumed</Badge> : null}
                {lit.has(node.id) ? <Badge tone="ok">on this way</Badge> : null}
              </th>
              <td>
                {from.map((label) => (
                  <p key={label}>
                    <Untrusted text={label} />
                  </p>
                ))}
              </td>
              <td>
                {node.facts.map((fact) => (
                  <p key={fact}>
                    <Untrusted text={fact} />
                  </p>
                ))}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** Steps and outcomes from left to right; a dot is told by the steps that it joins. */
function rowsOf({ nodes, edges }: BlastPicture) {
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const into = Map.groupBy(edges, ({ to }) => to);
  const labelsInto = (id: string): readonly string[] =>
    (into.get(id) ?? []).flatMap(({ from }) => {
      const node = byId.get(from);
      if (node === undefined) return [];
      return node.kind === "all" ? [labelsInto(from).join(" and ")] : [node.label];
    });
  return nodes
    .filter(({ kind }) => kind === "step" || kind === "outcome")
    .sort((a, b) => a.x - b.x || a.y - b.y)
    .map((node) => ({ node, from: [...new Set(labelsInto(node.id))] }));
}
