/**
 * HTML as text: what a reader would see, and beside it what such a reader would not: where links lead, text
 * that is styled out of sight, comments, scripts. Parsed as browsers do (parse5), within limits of depth and
 * size; what goes beyond is shown as its source. Only markup that loses nothing as text counts as whole: of
 * all other HTML the card shows the source, too, so that nothing depends on our knowing every trick.
 *
 * @module
 */
import { defaultTreeAdapter, html as spec, parseFragment, serialize } from "parse5";
import type { DefaultTreeAdapterTypes } from "parse5";
import { doubtsOfLink, shownTarget } from "./links.ts";
import { Preview } from "./preview.ts";
import { outOfSight, sightOf, type Sight } from "./sight.ts";

type Node = DefaultTreeAdapterTypes.ChildNode;
type Element = DefaultTreeAdapterTypes.Element;

/** HTML, as it is shown. */
export interface ReadHtml {
  readonly lines: readonly string[];
  /** Where each link leads, and its text. */
  readonly links: readonly string[];
  /** What a reader of the page does not see, each with why. */
  readonly unseen: readonly string[];
  readonly warnings: readonly string[];
  /** The same as HTML of our own, for a frame. */
  readonly preview: string;
  /** Whether this is all that the source says. */
  readonly isWhole: boolean;
}

const DEPTH_MAX = 200;
const ELEMENTS_MAX = 20_000;

/** Elements that say nothing which their text does not, without any attribute; links may have `href`. */
const PLAIN = new Set(
  "p br h1 h2 h3 h4 h5 h6 ul ol li blockquote strong em b i u code pre hr a".split(" "),
);
const BLOCKS = new Set(
  (
    "address article aside blockquote body caption center dd details dialog div dl dt fieldset figcaption figure footer " +
    "form h1 h2 h3 h4 h5 h6 header hr html legend li main nav ol option p pre section summary table tbody tfoot " +
    "thead title tr ul"
  ).split(" "),
);
/** Elements whose content is never seen as text. */
const NEVER_SEEN = new Set(
  "head title style script template noscript datalist noembed noframes".split(" "),
);
const ACTIVE: Readonly<Record<string, string>> = {
  script: "a script",
  iframe: "a frame with another page",
  frame: "a frame with another page",
  object: "an embedded object",
  embed: "an embedded object",
  applet: "an embedded object",
  form: "a form that readers can send",
  base: "a base, to which its links are relative",
  meta: "a <meta>, which can lead elsewhere",
  link: "a <link> to a file outside",
  style: "a style sheet, which can hide or change any of this",
};
const ADDRESSES = new Set(
  "href src srcset action formaction data poster background cite ping".split(" "),
);

/** Thrown while it is parsed, and caught here. */
class TooLarge extends Error {}

/** Whether `text` has markup at all. */
export function isHtml(text: string): boolean {
  return /<[a-z/!?]/i.test(text) || /&#?\w+;/.test(text);
}

/** Reads `source`; `undefined` where it is nested too deep or too large to be. */
export function readHtml(source: string): ReadHtml | undefined {
  try {
    const root = parseFragment(source, { treeAdapter: boundedAdapter(), scriptingEnabled: false });
    const reading = new Reading();
    for (const node of root.childNodes) reading.add(node, {}, 0);
    return reading.end(isSame(serialize(root), source));
  } catch (error) {
    if (error instanceof TooLarge) return undefined;
    throw error;
  }
}

/** parse5's own tree, which ends where markup would make it grow beyond its source. */
function boundedAdapter(): typeof defaultTreeAdapter {
  const depths = new WeakMap<object, number>();
  let elements = 0;
  const deepen = (parent: object, node: object) => {
    const depth = (depths.get(parent) ?? 0) + 1;
    if (depth > DEPTH_MAX) throw new TooLarge();
    depths.set(node, depth);
  };
  return {
    ...defaultTreeAdapter,
    createElement(name, namespace, attributes) {
      elements += 1;
      if (elements > ELEMENTS_MAX) throw new TooLarge();
      return defaultTreeAdapter.createElement(name, namespace, attributes);
    },
    appendChild(parent, node) {
      deepen(parent, node);
      defaultTreeAdapter.appendChild(parent, node);
    },
    insertBefore(parent, node, reference) {
      deepen(parent, node);
      defaultTreeAdapter.insertBefore(parent, node, reference);
    },
  };
}

/** Whether a tree, written again, is the source, so that the parser has dropped and added nothing. */
function isSame(written: string, source: string): boolean {
  const bare = (text: string) =>
    text.replaceAll(/<(br|hr) ?\/>/g, "<$1>").replaceAll("&nbsp;", "\u00a0");
  return bare(written) === bare(source);
}

/** Collects what one document says. */
class Reading {
  readonly #lines: string[] = [""];
  readonly #links: string[] = [];
  /** What is not seen, and how often: an editor's marks stand around each paragraph. */
  readonly #unseen = new Map<string, number>();
  readonly #warnings = new Set<string>();
  readonly #preview = new Preview();
  #isWhole = true;
  #isPre = false;

  add(node: Node, sight: Sight, depth: number): void {
    if (depth > DEPTH_MAX * 2) throw new TooLarge();
    if (defaultTreeAdapter.isTextNode(node)) this.#text(node.value, sight);
    else if (defaultTreeAdapter.isCommentNode(node)) this.#hide("comment", node.data);
    else if (defaultTreeAdapter.isElementNode(node)) this.#element(node, sight, depth);
    else this.#isWhole = false;
  }

  end(isSource: boolean): ReadHtml {
    const lines = this.#lines.map((line) => trimmed(line, { start: false }));
    const end = lines.findLastIndex((line) => line !== "") + 1;
    return {
      // One empty line is as good as ten.
      lines: lines.slice(0, end).filter((line, at) => line !== "" || (lines[at - 1] ?? "") !== ""),
      links: this.#links,
      unseen: [...this.#unseen].map(([what, count]) =>
        count === 1 ? what : `${what} (${count} times)`,
      ),
      warnings: [...this.#warnings],
      preview: this.#preview.html,
      isWhole: this.#isWhole && isSource,
    };
  }

  #element(element: Element, above: Sight, depth: number): void {
    const { tagName: name } = element;
    const attributes = new Map(element.attrs.map((one) => [one.name, one.value]));
    this.#look(element, attributes);
    const reason = NEVER_SEEN.has(name) ? name : undefined;
    const sight = sightOf(name, attributes, reason === undefined ? above : { ...above, reason });
    const isBlock = BLOCKS.has(name);
    if (isBlock || name === "br") this.#break();
    if (/^h[1-6]$/.test(name)) this.#put(`${"#".repeat(Number(name[1]))} `);
    if (name === "li") this.#put("- ");
    if (name === "blockquote") this.#put("> ");
    if (name === "hr") this.#put("---");
    if (name === "td" || name === "th") this.#put(" ");
    const isSeen = outOfSight(sight) === undefined;
    const end = isSeen ? this.#preview.open(name, attributes) : "";
    const wasPre = this.#isPre;
    this.#isPre ||= name === "pre";
    const content = defaultTreeAdapter.getTemplateContent;
    const inner = name === "template" && "content" in element ? content(element as never) : element;
    for (const child of inner.childNodes) this.add(child, sight, depth + 1);
    this.#isPre = wasPre;
    this.#preview.close(end);
    if (isBlock) this.#break();
  }

  #look(element: Element, attributes: ReadonlyMap<string, string>): void {
    const { tagName: name, namespaceURI } = element;
    const target = attributes.get("href");
    const isLink = name === "a" && target !== undefined;
    if (!PLAIN.has(name) || attributes.size > (isLink ? 1 : 0)) this.#isWhole = false;
    if (namespaceURI !== spec.NS.HTML) this.#isWhole = false;
    const active = ACTIVE[name];
    if (active !== undefined) this.#warnings.add(`it holds ${active}`);
    for (const [key, value] of attributes) {
      if (key.startsWith("on")) this.#warnings.add(`it runs a script at ${key}`);
      if (!ADDRESSES.has(key)) continue;
      if (/^(javascript|vbscript|data):/i.test(value.replaceAll(/[\p{Cc}\s]/gu, "")))
        this.#warnings.add(`an address that is code or content of its own: ${cut(value)}`);
      if (!isLink || key !== "href") this.#links.push(`${name} ${key}: ${shownTarget(value)}`);
    }
    const alt = attributes.get("alt");
    if (alt !== undefined && alt !== "") this.#put(`[${collapsed(alt)}]`);
    if (!isLink) return;
    const text = trimmed(collapsed(textWithin(element)));
    this.#links.push(`${shownTarget(target)}  <- ${text === "" ? "(no text)" : text}`);
    for (const doubt of doubtsOfLink(target, text)) this.#warnings.add(doubt);
  }

  #text(value: string, sight: Sight): void {
    const why = outOfSight(sight);
    if (why !== undefined) this.#hide(why, value);
    else {
      this.#preview.text(value);
      // Line ends stay: in what is HTML only here and there (Markdown, WordPress's own) they mean something.
      for (const [at, line] of value.split("\n").entries()) {
        if (at > 0) this.#lines.push("");
        const text = this.#isPre ? line : collapsed(line);
        const isStart = !this.#isPre && this.#lines.at(-1) === "";
        this.#put(isStart && text.startsWith(" ") ? text.slice(1) : text);
      }
    }
  }

  #hide(why: string, value: string): void {
    const text = trimmed(value);
    if (text === "") return;
    // Its further lines are set in: they cannot pass for another that is not seen.
    const what = `${why}: ${text.replaceAll("\n", "\n  ")}`;
    this.#unseen.set(what, (this.#unseen.get(what) ?? 0) + 1);
    if (why !== "comment" || !isEditorsMark(value)) this.#warnings.add(WARN_UNSEEN);
  }

  #put(text: string): void {
    this.#lines.push((this.#lines.pop() ?? "") + text);
  }

  #break(): void {
    if (this.#lines.at(-1) !== "") this.#lines.push("");
  }
}
const WARN_UNSEEN = "it holds text that readers do not see";

/** WordPress's editor marks each block by a comment. */
function isEditorsMark(comment: string): boolean {
  return /^ \/?wp:[a-z0-9/-]+ (\{[^{}]*\} )?\/?$/.test(comment) || comment === "more";
}

function textWithin(element: Element): string {
  const parts: string[] = [];
  const open: Node[] = element.childNodes.toReversed();
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    if (defaultTreeAdapter.isTextNode(node)) parts.push(node.value);
    else if (defaultTreeAdapter.isElementNode(node)) {
      parts.push(...node.attrs.filter(({ name }) => name === "alt").map(({ value }) => value));
      open.push(...node.childNodes.toReversed());
    }
  }
  return parts.join("");
}

/** White space as HTML has it: a no-break space is none of it. */
function collapsed(text: string): string {
  return text.replaceAll(/[ \t\n\r\f]+/g, " ");
}

/** Without white space at its ends: of HTML's kinds, no other. */
function trimmed(text: string, { start = true } = {}): string {
  let [from, to] = [0, text.length];
  if (start) while (from < to && SPACE.includes(text.charAt(from))) from += 1;
  while (to > from && SPACE.includes(text.charAt(to - 1))) to -= 1;
  return text.slice(from, to);
}
const SPACE = " \t\n\r\f";

function cut(text: string): string {
  return text.length > 200 ? `${text.slice(0, 200)}...` : text;
}
