/**
 * HTML as its readers see it, for a frame: written anew from what was read, so that nothing is in it but structure
 * and text. No script, style, form, address that is loaded, or attribute of the source survives, whatever the frame
 * around it allows; what is out of sight is left out, and told apart. Characters that are not seen, or that reorder those
 * that are, are spelled out and marked.
 *
 * @module
 */
import { codePointText, UNSEEN_IN_LINES } from "../../base/index.ts";

/** Elements that are written as they are, without their attributes. */
const KEPT = new Set(
  (
    "p h1 h2 h3 h4 h5 h6 ul ol li blockquote strong em b i u s del ins code pre kbd samp sub sup small mark q cite " +
    "table caption thead tbody tfoot tr td th dl dt dd figure figcaption div section article aside header footer address"
  ).split(" "),
);
const EMPTY = new Set(["br", "hr"]);
const SPANS = ["colspan", "rowspan"];
/** Pictures that are in the text itself, in forms that hold no script. */
const PICTURE = /^data:image\/(?:png|gif|jpeg|webp);base64,[A-Za-z0-9+/=\s]+$/;
const ESCAPES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
};

/** Not a no-break space, which is in most mails, and seen as the space that it is. */
const UNSEEN_ALL = new RegExp(String.raw`(?!\u00a0)(?:${UNSEEN_IN_LINES.source})`, "gu");

type Attributes = ReadonlyMap<string, string>;

export class Preview {
  #html = "";

  /** Opens element `name`; gives what closes it. */
  open(name: string, attributes: Attributes): string {
    if (EMPTY.has(name)) this.#html += `<${name}>`;
    if (name === "img") this.#picture(attributes);
    const target = attributes.get("href");
    // A link leads nowhere here; where it would lead stands in its title.
    if (name === "a" && target !== undefined) {
      this.#html += `<u title="${spelled(target)}">`;
      return "</u>";
    }
    if (!KEPT.has(name)) return "";
    const spans = name === "td" || name === "th" ? SPANS.map((one) => spanOf(one, attributes)) : [];
    this.#html += `<${name}${spans.join("")}>`;
    return `</${name}>`;
  }

  close(end: string): void {
    this.#html += end;
  }

  text(text: string): void {
    this.#html += escaped(text).replaceAll(
      UNSEEN_ALL,
      (one) => `<mark>${codePointText(one)}</mark>`,
    );
  }

  get html(): string {
    return this.#html;
  }

  #picture(attributes: Attributes): void {
    const [source = "", alt = ""] = [attributes.get("src"), attributes.get("alt")];
    this.#html += PICTURE.test(source)
      ? `<img src="${escaped(source)}" alt="${spelled(alt)}">`
      : `<small>[picture${alt === "" ? "" : `: ${spelled(alt)}`}]</small>`;
  }
}

function spanOf(name: string, attributes: Attributes): string {
  const value = attributes.get(name) ?? "";
  return /^\d{1,3}$/.test(value) ? ` ${name}="${value}"` : "";
}

/** For where no mark can stand. */
function spelled(text: string): string {
  return escaped(text).replaceAll(UNSEEN_ALL, codePointText);
}

function escaped(text: string): string {
  return text.replaceAll(/[&<>"]/g, (one) => ESCAPES[one] ?? one);
}
