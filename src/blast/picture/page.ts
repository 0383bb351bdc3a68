/**
 * An answer as one HTML page that needs nothing else: no resource, one style and one script whose hashes its policy names.
 * Whatever systems and files are called is text, wherever it stands (INV-176).
 *
 * @module
 */
import { createHash } from "node:crypto";
import { escapeHtml, visibleLine } from "../../base/index.ts";
import { printAmount, type Amount } from "../amount.ts";
import type { Answer, Outcome } from "../answer.ts";
import { printCutOutcome, type Cut } from "../cut/index.ts";
import type { PathFact, PathStep } from "../path.ts";
import { capital, capitalized, isObvious } from "../print.ts";
import type { Solution } from "../solve.ts";
import { graphOf, NODES_MAX } from "./graph.ts";
import { SCRIPT, STYLE } from "./style.ts";
import { renderSvg } from "./svg.ts";

/** What a page shows. */
export interface PageContent {
  readonly answer: Answer;
  readonly solution: Solution;
  /** What it is about: a task's name, a file. */
  readonly title: string;
  readonly cuts: readonly Cut[];
}

/** One page. */
export function renderPage({ answer, solution, title, cuts }: PageContent): string {
  const graph = graphOf(solution);
  const style = createHash("sha256").update(STYLE).digest("base64");
  const script = createHash("sha256").update(SCRIPT).digest("base64");
  const policy = `default-src 'none'; style-src 'sha256-${style}'; script-src 'sha256-${script}'; base-uri 'none'; form-action 'none'`;
  const merged = graph.nodes.filter(({ count }) => count > 1).length;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="referrer" content="no-referrer">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${text(`Blast radius of ${title}`)}</title>
<style>${STYLE}</style>
</head>
<body>
<main>
<header><p class="task">${text(`Blast radius of ${title}`)}</p>
<h1>${text(answer.sentence)}</h1></header>
${tableOf(answer)}
${cutsHtml(cuts)}
<h2>The shortest ways</h2>
${answer.outcomes.map(wayHtml).join("\n")}
<h2>What leads to what</h2>
<p class="legend">From left to right. Any arrow into a box suffices; a dot needs all of its arrows. Solid and red: nobody is asked. Broken and yellow: somebody must say yes first. Point at a box, or move by Tab, to see what leads to it and where it leads.${merged === 0 ? "" : ` Of more than ${NODES_MAX} boxes, those alike stand together.`}</p>
<div class="picture">
${renderSvg(graph)}
</div>
${assumptionsHtml(answer)}
<footer>Made by cofferdam blast from facts and rules; every step names what it rests on.</footer>
</main>
<script>${SCRIPT}</script>
</body>
</html>
`;
}

/** What others wrote, as what shows on one line and is no markup. */
function text(said: string): string {
  return escapeHtml(visibleLine(said));
}

function tableOf({ outcomes, without }: Answer): string {
  const cell = (amount: Amount, level: string) =>
    `<td class="n ${amount === 0 ? "zero" : level}">${printAmount(amount)}</td>`;
  const rows = outcomes.map(({ name, says, unattended, approverFooled, backup }) => {
    const bare = without?.outcomes.find((one) => one.name === name)?.amount;
    const note = backup === undefined ? "" : ` <span>(backups: ${backup.approverFooled})</span>`;
    return `<tr><td>${text(capitalized(says))}${note}</td>${cell(unattended, "alone")}${cell(approverFooled, "yes")}${bare === undefined ? "" : cell(bare, "")}</tr>`;
  });
  const last = without === undefined ? "" : '<th class="n">without Cofferdam</th>';
  return `<div class="wide"><table><thead><tr><th>At worst</th><th class="n">unattended</th><th class="n">approver fooled</th>${last}</tr></thead><tbody>
${rows.join("\n")}
</tbody></table></div>`;
}

function wayHtml(outcome: Outcome): string {
  const { says, unattended, approverFooled, path, fooledPath, objects } = outcome;
  if (approverFooled === 0) return "";
  const amounts = `${printAmount(unattended)} unattended, ${printAmount(approverFooled)} with an approver fooled`;
  const further = objects.slice(1, OBJECTS_SHOWN + 1).map(({ object }) => object);
  const rest = objects.length - 1 - further.length;
  return `<details${unattended === 0 ? "" : " open"}><summary>${text(capitalized(says))} <span>${amounts}</span></summary>
${stepsHtml(path)}${fooledPath === undefined ? "" : `<p>With a yes more:</p>${stepsHtml(fooledPath)}`}${further.length === 0 ? "" : `<p>Also: ${text(further.join("; "))}${rest > 0 ? `; and ${rest} more` : ""}</p>`}</details>`;
}
const OBJECTS_SHOWN = 8;

function stepsHtml(path: readonly PathStep[]): string {
  const steps = path.map(({ says, facts, source }) => {
    const grounds = facts
      .filter((one) => !isObvious(one))
      .map((fact) => `<li>${factHtml(fact)}</li>`)
      .join("");
    return `<li title="${text(source)}">${text(capital(says))}<ul>${grounds}</ul></li>`;
  });
  return `<ol>${steps.join("")}</ol>`;
}

function factHtml({ says, from, isAssumed, persons }: PathFact): string {
  const yes =
    persons === 0
      ? ""
      : ` <b class="tag">needs ${persons === 1 ? "a yes" : `${persons} yeses`}</b>`;
  const who = from === "" ? "" : ` <i>(${text(from)})</i>`;
  return `${isAssumed ? "assumed: " : ""}${text(says)}${yes}${who}`;
}

function cutsHtml(cuts: readonly Cut[]): string {
  if (cuts.length === 0) return "";
  const [first, ...others] = cuts.map(cutHtml);
  const more =
    others.length === 0
      ? ""
      : `<details><summary>Other changes</summary><div>${others.join("\n")}</div></details>`;
  return `<h2>What would cut most at the least cost</h2>\n${first}\n${more}`;
}

function cutHtml({ says, diff, cuts, takes, asks }: Cut): string {
  const told = [
    ...cuts.flatMap(printCutOutcome),
    ...(takes.length === 0 ? [] : [`the task loses ${takes.join(", ")}`]),
    ...(asks.length === 0 ? [] : [`a person is asked more often: ${asks.join(", ")}`]),
  ];
  const items = told.map((line) => `<li>${text(capitalized(line))}</li>`).join("");
  return `<p><strong>${text(capital(says))}</strong></p><ul>${items}</ul>${diff === undefined ? "" : `<pre>${diffHtml(diff)}</pre>`}`;
}

function diffHtml(diff: string): string {
  return diff
    .trimEnd()
    .split("\n")
    .map((line) => {
      const kind = /^(\+(?!\+\+ )|-(?!-- ))/.exec(line)?.[1];
      const own = text(line);
      return kind === undefined
        ? own
        : `<span class="${kind === "+" ? "add" : "drop"}">${own}</span>`;
    })
    .join("\n");
}

function assumptionsHtml({ assumptions, without }: Answer): string {
  const bare = (without?.assumptions ?? []).filter((one) => !assumptions.includes(one));
  const list = (title: string, items: readonly string[]) =>
    items.length === 0
      ? ""
      : `<h2>${title}</h2><ul>${items.map((item) => `<li>${text(item)}</li>`).join("")}</ul>`;
  return `${list("Not known, and counted at its worst", assumptions)}
${list("Beside that, without Cofferdam", bare)}`;
}
