/**
 * What must not stand in a sentence or an entry as it came: secrets by their names, and characters that draw.
 *
 * @module
 */
import type { CredentialPlace } from "./entry.ts";

/** Keeps a hostile text from drawing on a terminal or turning a sentence round. */
export function visible(text: string): string {
  return text.replaceAll(/[\p{C}\u2028\u2029]/gu, "\uFFFD");
}

const SECRET_PARAMETER =
  /key|token|secret|passw|pwd|signature|credential|session|auth(?!or)|jwt|^sig$|^code$/i;

/** Values of parameters that are secrets by their name never enter the log. */
export function hideSecrets(query: string): string {
  if (query === "") return query;
  return query
    .split("&")
    .map((pair) => {
      const name = pair.split("=", 1)[0] ?? "";
      return pair.length > name.length && isSecret(name) ? `${name}=[hidden]` : pair;
    })
    .join("&");
}

/** `path` without what stands where one of `places` says that a credential does. */
export function hideInPath(path: string, places: readonly CredentialPlace[]): string {
  let shown = path.split("/");
  for (const place of places) {
    if (place.in === "path") shown = hideAfter(shown, place.after.split("/").slice(1));
  }
  return shown.join("/");
}

/** `segments` without what follows `names`: each is a segment, the last one the start of the secret's own. */
function hideAfter(segments: readonly string[], names: readonly string[]): string[] {
  const start = names.at(-1) ?? "";
  const own = names.length - 1;
  return segments.map((segment, at) => {
    const before = segments.slice(at - own, at);
    const fits =
      at >= own &&
      decoded(segment).length > start.length &&
      decoded(segment).startsWith(start) &&
      before.every(
        (text, place) => /^\{.*\}$/.test(names[place] ?? "") || decoded(text) === names[place],
      );
    return fits ? `${start}[hidden]` : segment;
  });
}

/** Reports whether a parameter of this name is likely to hold a secret. */
export function isSecret(name: string): boolean {
  return SECRET_PARAMETER.test(decoded(name));
}

function decoded(text: string): string {
  if (!text.includes("%")) return text;
  try {
    return decodeURIComponent(text);
  } catch (error) {
    if (error instanceof URIError) return text; // Then it stands as it was sent.
    throw error;
  }
}
