/**
 * Whether text would be seen by whoever reads the page: what an element's own style and the usual attributes
 * do to it. Style sheets are not applied; a page that has one is warned of.
 *
 * @module
 */

/** What an element hands on to what stands in it. */
export interface Sight {
  /** Why nothing in it is seen. */
  readonly reason?: string;
  readonly color?: string;
  readonly background?: string;
}

const STYLE_CHARS_MAX = 4096;
const SMALL_PX = 5;
const FAR_PX = -400;

/** What `above` becomes within element `name`. */
export function sightOf(
  name: string,
  attributes: ReadonlyMap<string, string>,
  above: Sight,
): Sight {
  const text = attributes.get("style") ?? "";
  const style = declarationsOf(text.slice(0, STYLE_CHARS_MAX));
  const color = style.get("color") ?? (name === "font" ? attributes.get("color") : undefined);
  const background =
    style.get("background-color") ?? style.get("background") ?? attributes.get("bgcolor");
  const odd = text.length > STYLE_CHARS_MAX ? "a style too long to be read" : undefined;
  const reason = above.reason ?? odd ?? reasonOf(attributes, style);
  return {
    ...above,
    ...(reason === undefined ? {} : { reason }),
    ...(color === undefined ? {} : { color: colorOf(color) }),
    ...(background === undefined ? {} : { background: colorOf(background) }),
  };
}

/** Why text that stands there is not seen. */
export function outOfSight({ reason, color, background = "white" }: Sight): string | undefined {
  if (reason !== undefined) return reason;
  if (color === "none") return "see-through";
  return color !== undefined && color === background ? `${color} on ${background}` : undefined;
}

function reasonOf(
  attributes: ReadonlyMap<string, string>,
  style: ReadonlyMap<string, string>,
): string | undefined {
  if (attributes.has("hidden")) return "hidden";
  const is = (name: string, expression: RegExp) => expression.test(style.get(name) ?? "");
  if (is("display", /^none/)) return "display: none";
  if (is("visibility", /^(hidden|collapse)/)) return "visibility: hidden";
  if (is("mso-hide", /^all/)) return "mso-hide";
  if (is("opacity", /^(0*\.0\d*|0+(\.0\d*)?%?)$/)) return "see-through";
  if (is("font-size", /./) && sizePx(style.get("font-size")) < SMALL_PX) return "tiny text";
  if (is("line-height", /^0(\D|$)/) && is("overflow", /hidden/)) return "no height";
  for (const name of ["height", "max-height", "width", "max-width"]) {
    if (is(name, /^[01](px)?$/) && is("overflow", /hidden|clip/)) return `no ${name.slice(-6)}`;
  }
  for (const name of [
    "left",
    "top",
    "right",
    "bottom",
    "text-indent",
    "margin-left",
    "margin-top",
  ]) {
    if (sizePx(style.get(name)) < FAR_PX) return "out of the page";
  }
  if (is("clip", /^rect/) || is("clip-path", /inset\((50|100)%|circle\(0/)) return "cut away";
  return is("transform", /scale\(0(\.0\d*)?\)/) ? "no size" : undefined;
}

function declarationsOf(style: string): ReadonlyMap<string, string> {
  const declarations = style.replaceAll(/\/\*[^]*?\*\//g, "").split(";");
  return new Map(
    declarations.map((one) => {
      const at = one.indexOf(":");
      const value = one.slice(at + 1).replace(/!\s*important/i, "");
      return [one.slice(0, at).trim().toLowerCase(), value.trim().toLowerCase()];
    }),
  );
}

const PX: Readonly<Record<string, number>> = { px: 1, pt: 4 / 3, em: 16, rem: 16, "%": 0.16 };

/** `1.5em` in pixels; what is not a length is as usual. */
function sizePx(size = ""): number {
  const [, number, unit = "px"] = /^(-?[\d.]+)([a-z%]*)/.exec(size) ?? [];
  return number === undefined ? 16 : Number(number) * (PX[unit || "px"] ?? 1);
}

/** Colours, so far as they are compared: what is nearly white is white. */
function colorOf(color: string): string {
  const text = color.replaceAll(/\s+/g, "").toLowerCase();
  if (text === "transparent" || /^(rgb|hsl)a\(.*,(0|0?\.0\d*)\)$/.test(text)) return "none";
  const [, short, long] = /^#(?:([\da-f]{3})|([\da-f]{6}))$/.exec(text) ?? [];
  const hex = long ?? short?.replaceAll(/(.)/g, "$1$1");
  const numbers = /^rgba?\((\d+),(\d+),(\d+)/.exec(text)?.slice(1).map(Number);
  const parts = hex?.match(/../g)?.map((one) => Number.parseInt(one, 16)) ?? numbers;
  if (parts?.every((part) => part >= 240) === true) return "white";
  if (["snow", "ivory", "ghostwhite", "floralwhite", "whitesmoke"].includes(text)) return "white";
  return parts === undefined ? text : `#${parts.map((one) => one.toString(16)).join("")}`;
}
