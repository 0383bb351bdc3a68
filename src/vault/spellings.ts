/**
 * Spellings: how one text may be written where texts are encoded. Both who looks for placeholders in what a run says
 * and who looks for secrets in what servers answer look for all of them.
 *
 * @module
 */

/** A piece of base64 that is shorter says too little. */
const BASE64_CHARS_MIN = 10;

/** Every spelling of `text`, each once, the text itself first. */
export function spellingsOf(text: string): readonly Buffer[] {
  const bytes = Buffer.from(text);
  const spellings = new Set<string>([text]);
  for (const one of [...percentOf(text, bytes), ...escapedOf(text)]) spellings.add(one);
  const hex = bytes.toString("hex");
  spellings.add(hex).add(hex.toUpperCase());
  for (const one of base64Of(bytes)) {
    spellings.add(one);
    spellings.add(one.replaceAll("+", "-").replaceAll("/", "_"));
  }
  return [...spellings].map((one) => Buffer.from(one));
}

/** URLs and forms: what each library leaves as it is differs. */
function percentOf(text: string, bytes: Buffer): readonly string[] {
  const component = encodeURIComponent(text);
  const strict = component.replace(/[!'()*]/g, (one) => percent(one.charCodeAt(0)));
  const form = new URLSearchParams([["", text]]).toString().slice(1);
  const uri = encodeURI(text);
  const all = [...bytes].map(percent).join("");
  const plainSafe = [component, strict, form, form.replaceAll("+", "%20"), uri, all];
  return plainSafe.flatMap((one) => [
    one,
    one.replace(/%[\dA-F]{2}/g, (pair) => pair.toLowerCase()),
  ]);
}

/** JSON (RFC 8259, 7) and HTML. */
function escapedOf(text: string): readonly string[] {
  const json = JSON.stringify(text).slice(1, -1);
  const ascii = json.replace(/[^ -~]/gu, (one) => [...unitsOf(one)].join(""));
  const html = text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
  const quoted = html.replaceAll('"', "&quot;");
  return [
    json,
    json.replaceAll("/", "\\/"),
    ascii,
    ascii.replaceAll("/", "\\/"),
    html,
    quoted,
    quoted.replaceAll("'", "&#39;"),
    quoted.replaceAll("'", "&#x27;"),
  ];
}

function unitsOf(character: string): readonly string[] {
  return Array.from({ length: character.length }, (_, at) => {
    return `\\u${character.charCodeAt(at).toString(16).padStart(4, "0")}`;
  });
}

/**
 * What base64 makes of `bytes` wherever they stand in a longer text: at each of three offsets, less the characters
 * that also hold bits of what stands before and behind.
 */
function base64Of(bytes: Buffer): readonly string[] {
  const whole = bytes.toString("base64");
  const inner = [0, 1, 2].map((offset) => {
    const encoded = Buffer.concat([Buffer.alloc(offset), bytes]).toString("base64");
    const from = Math.ceil((offset * 8) / 6);
    return encoded.slice(from, Math.floor(((offset + bytes.length) * 8) / 6));
  });
  return [whole, whole.replace(/=+$/, ""), ...inner].filter(
    (one) => one.length >= BASE64_CHARS_MIN,
  );
}

function percent(byte: number): string {
  return `%${byte.toString(16).toUpperCase().padStart(2, "0")}`;
}
