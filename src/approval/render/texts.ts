/**
 * Texts of a content, some of them HTML, gathered so that links, unseen text and warnings of all of them
 * stand in blocks of their own: no text can imitate those.
 *
 * @module
 */
import { block, laidOut, listed, memberLines, type Block } from "./block.ts";
import { isHtml, readHtml } from "./html.ts";
import { doubtsOfText } from "./links.ts";

export class Texts {
  readonly #blocks: Block[] = [];
  readonly #links: string[] = [];
  readonly #unseen: string[] = [];
  readonly #warnings = new Set<string>();
  readonly #sources: string[] = [];

  /** Shows `text` under `label`; `name` is what the system calls it. */
  add(label: string, name: string, text: string, { html }: { readonly html: boolean }): void {
    for (const doubt of doubtsOfText(text)) this.#warnings.add(doubt);
    const reading = html && isHtml(text) ? readHtml(text) : undefined;
    if (reading === undefined) {
      if (html && isHtml(text))
        this.warn(`${label} is nested too deep to be read: this is its source`);
      this.#blocks.push(block(label, text.split("\n")));
      return;
    }
    this.#blocks.push(block(label, reading.lines.length === 0 ? ["(no text)"] : reading.lines));
    this.#links.push(...reading.links);
    this.#unseen.push(...reading.unseen);
    for (const warning of reading.warnings) this.#warnings.add(warning);
    if (!reading.isWhole) this.#sources.push(...memberLines(name, text));
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
