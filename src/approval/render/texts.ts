/**
 * Texts of a content, some of them HTML, gathered so that links, unseen text and warnings of all of them
 * stand in blocks of their own: no text can imitate those.
 *
 * @module
 */
import type { Passage } from "../../api/index.ts";
import { memberLines } from "../look/members.ts";
import { block, laidOut, listed, type Block } from "./block.ts";

export class Texts {
  readonly #blocks: Block[] = [];
  readonly #links: string[] = [];
  readonly #unseen: string[] = [];
  readonly #warnings = new Set<string>();
  readonly #sources: string[] = [];

  add({ label, name, text, about, doubts, html }: Passage): void {
    for (const doubt of doubts) this.#warnings.add(doubt);
    if (about !== undefined) this.put(about.label, [about.line]);
    if (html === undefined) {
      this.#blocks.push(block(label, text.split("\n")));
      return;
    }
    this.#blocks.push(block(label, html.lines.length === 0 ? ["(no text)"] : html.lines));
    this.#links.push(...html.links);
    this.#unseen.push(...html.unseen);
    if (!html.isWhole) this.#sources.push(...memberLines(name, text));
  }

  /** A block between the texts. */
  put(label: string, lines: readonly string[]): void {
    this.#blocks.push(...listed(label, lines));
  }

  warn(warning: string): void {
    this.#warnings.add(warning);
  }

  /** Warnings first: who reads no further has read those. */
  get blocks(): readonly Block[] {
    return [
      ...listed("Warning", [...this.#warnings]),
      ...this.#blocks,
      ...listed("Links", this.#links),
      ...laidOut("Not seen", this.#unseen),
      ...laidOut("Source", this.#sources),
    ];
  }
}

export function printPassages(passages: readonly Passage[]): readonly Block[] {
  const texts = new Texts();
  for (const passage of passages) texts.add(passage);
  return texts.blocks;
}
