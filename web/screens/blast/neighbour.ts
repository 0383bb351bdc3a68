/** Which box an arrow key leads to from another: along the arrows, or up and down within a layer. */
import type { BlastPicture } from "../../../src/api/index.ts";

export function neighbour(
  { nodes, edges }: BlastPicture,
  id: string,
  key: string,
): string | undefined {
  if (key === "ArrowRight") return edges.find(({ from }) => from === id)?.to;
  if (key === "ArrowLeft") return edges.find(({ to }) => to === id)?.from;
  const own = nodes.find((node) => node.id === id);
  if (own === undefined) return undefined;
  const isDown = key === "ArrowDown";
  const layer = nodes
    .filter(({ x, y }) => Math.abs(x - own.x) < 1 && (isDown ? y > own.y : y < own.y))
    .sort((a, b) => Math.abs(a.y - own.y) - Math.abs(b.y - own.y));
  return layer[0]?.id;
}
