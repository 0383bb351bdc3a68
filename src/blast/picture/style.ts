/**
 * How the page looks, and the little that it does.
 *
 * @module
 */

export const STYLE = `:root{color-scheme:light dark;
--paper:light-dark(#fdfcfa,#16181c);--ink:light-dark(#1d2127,#e7e5e0);--quiet:light-dark(#626a73,#9aa2ab);--line:light-dark(#dcd8d0,#33383f);--card:light-dark(#ffffff,#1e2126);
--alone:light-dark(#b3261e,#ff8a7a);--alonesoft:light-dark(#fbe9e7,#3a2220);--yes:light-dark(#7a5b00,#e3bb55);--yessoft:light-dark(#fdf6e0,#332c18);--none:light-dark(#2c6e49,#7cc79a);--mark:light-dark(#2457a6,#8ab4f8)}
*{box-sizing:border-box}
body{margin:0;background:var(--paper);color:var(--ink);font:15px/1.55 system-ui,-apple-system,"Segoe UI",sans-serif}
main{max-width:72rem;margin:0 auto;padding:2.5rem 1.5rem 4rem}
header p.task{margin:0;color:var(--quiet);font-size:.9rem}
h1{font-size:1.45rem;line-height:1.4;font-weight:600;margin:.3rem 0 1.6rem;max-width:56rem;text-wrap:pretty}
h2{font-size:1.05rem;font-weight:600;margin:2.6rem 0 .7rem}
table{border-collapse:separate;border-spacing:0;width:100%;background:var(--card);border:1px solid var(--line);border-radius:8px}
th,td{padding:.5rem .85rem;border-bottom:1px solid var(--line);text-align:left}tr:last-child td{border-bottom:0}
th{font-weight:500;color:var(--quiet);font-size:.85rem}th.n,td.n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
td.alone{color:var(--alone);font-weight:600}td.yes{color:var(--yes);font-weight:600}td.zero{color:var(--quiet)}
div.wide{overflow-x:auto}
details{background:var(--card);border:1px solid var(--line);border-radius:8px;margin:.5rem 0}
summary{padding:.6rem .9rem;cursor:pointer;font-weight:500}summary span{color:var(--quiet);font-weight:400}
details ol{margin:.1rem 0 .9rem;padding:0 1.2rem 0 2.4rem}details div{padding:0 .95rem}
details>p{margin:.2rem .95rem .3rem;color:var(--quiet)}
details li{margin:.35rem 0}details ul{margin:.1rem 0;padding-left:1.1rem;color:var(--quiet);font-size:.9rem;list-style:"– "}
li,summary,td{overflow-wrap:anywhere}
b.tag{font-weight:500;font-size:.78rem;border:1px dashed var(--yes);color:var(--yes);border-radius:4px;padding:0 .3rem;white-space:nowrap}
pre{background:var(--card);border:1px solid var(--line);border-radius:8px;padding:.8rem 1rem;overflow-x:auto;font:13px/1.5 ui-monospace,SFMono-Regular,Menlo,monospace}
pre .add{color:var(--none)}pre .drop{color:var(--alone)}
p.legend{color:var(--quiet);font-size:.88rem;margin:.2rem 0 .6rem}
div.picture{overflow:auto;max-height:85vh;background:var(--card);border:1px solid var(--line);border-radius:8px;margin:0 calc(50% - 48vw);padding:6px}
svg{display:block;margin:0 auto}
svg text{font:11.5px system-ui,-apple-system,"Segoe UI",sans-serif;fill:var(--ink)}
svg text.told{fill:var(--yes);font-style:italic;font-size:10.5px}svg .alone text.told{fill:var(--quiet)}
svg text.mark{text-anchor:middle;font-weight:700}
svg rect,svg circle{fill:var(--card);stroke:var(--quiet);stroke-width:1.2}
svg .step.alone rect{fill:var(--alonesoft);stroke:var(--alone);stroke-width:1.8}
svg .step.yes rect,svg .all.yes circle{fill:var(--yessoft);stroke:var(--yes);stroke-dasharray:5 3}
svg .outcome rect{stroke-width:3}svg .outcome text{font-weight:600}
svg .outcome.alone rect{fill:var(--alonesoft);stroke:var(--alone)}svg .outcome.yes rect{fill:var(--yessoft);stroke:var(--yes);stroke-dasharray:8 4}
svg .start rect{fill:var(--ink);stroke:var(--ink)}svg .start text{fill:var(--paper);font-weight:600}
svg path.arrow{fill:none;stroke:var(--quiet);stroke-width:1.2;opacity:.75}svg path.arrow.yes{stroke:var(--yes);stroke-dasharray:5 3;stroke-width:1.6}
svg marker path{fill:var(--quiet)}
svg.dim .node,svg.dim .arrow{opacity:.16}svg.dim .node.lit,svg.dim .arrow.lit{opacity:1}
svg .node{outline:none}svg .node:focus rect,svg .node:hover rect,svg .node:focus circle{stroke:var(--mark);stroke-width:3}
footer{margin-top:3rem;color:var(--quiet);font-size:.85rem}
@media print{div.picture{max-height:none;margin:0}}`;

/** Shows what leads to a box and where it leads to, for whoever points at it or comes to it by keys. */
export const SCRIPT = `"use strict";
const svg = document.getElementById("graph");
if (svg) {
  const nodes = [...svg.querySelectorAll(".node")], arrows = [...svg.querySelectorAll(".arrow")];
  const walk = (start, from, to) => {
    const seen = new Set([start]), open = [start];
    for (const at of open) for (const arrow of arrows) {
      if (arrow.dataset[from] !== at || seen.has(arrow.dataset[to])) continue;
      seen.add(arrow.dataset[to]); open.push(arrow.dataset[to]);
    }
    return seen;
  };
  const show = (event) => {
    const node = event.target.closest(".node");
    svg.classList.toggle("dim", node !== null);
    if (node === null) return;
    const down = walk(node.dataset.n, "a", "b"), up = walk(node.dataset.n, "b", "a");
    for (const one of nodes) one.classList.toggle("lit", down.has(one.dataset.n) || up.has(one.dataset.n));
    for (const one of arrows) one.classList.toggle("lit", (down.has(one.dataset.a) && down.has(one.dataset.b)) || (up.has(one.dataset.a) && up.has(one.dataset.b)));
  };
  for (const kind of ["pointerover", "focusin"]) svg.addEventListener(kind, show);
  for (const kind of ["pointerleave", "focusout"]) svg.addEventListener(kind, () => svg.classList.remove("dim"));
}`;
