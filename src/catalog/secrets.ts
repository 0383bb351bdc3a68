/**
 * What must not stand in a sentence or an entry as it came: secrets by their names, and characters that draw.
 *
 * @module
 */

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

/** Reports whether a parameter of this name is likely to hold a secret. */
export function isSecret(name: string): boolean {
  let decoded = name;
  try {
    decoded = decodeURIComponent(name);
  } catch (error) {
    if (!(error instanceof URIError)) throw error; // Then the name stands as it was sent.
  }
  return SECRET_PARAMETER.test(decoded);
}
