/**
 * A GraphQL document, read only where all servers read it alike (spec of October 2021). The parser is the
 * reference one; what others are known or likely to part differently is refused before: a carriage return
 * alone (it ends a comment for some), a byte order mark, control characters, and in a block string a
 * backslash or four quotes. Depth and length are bounded, since the parser calls itself.
 *
 * @module
 */
import { GraphQLError } from "graphql/error/GraphQLError.js";
import { Lexer, parse, Source, TokenKind, type DocumentNode } from "graphql/language/index.js";

const DOCUMENT_CHARS_MAX = 200_000;
const TOKENS_MAX = 20_000;
const DEFINITIONS_MAX = 100; // Operations and fragments, each looked for in all of them.
const DEPTH_MAX = 60; // Brackets of any kind, open at once.

// eslint-disable-next-line no-control-regex
const STRANGE = /\r(?!\n)|[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f\ufeff]|\p{Cs}/u;

const OPENING: ReadonlySet<string> = new Set([
  TokenKind.BRACE_L,
  TokenKind.BRACKET_L,
  TokenKind.PAREN_L,
]);
const CLOSING: ReadonlySet<string> = new Set([
  TokenKind.BRACE_R,
  TokenKind.BRACKET_R,
  TokenKind.PAREN_R,
]);

/** The document of `text`, or `undefined` where it is none or servers could read it differently. */
export function parseDocument(text: string): DocumentNode | undefined {
  if (text.length > DOCUMENT_CHARS_MAX || STRANGE.test(text)) return undefined;
  try {
    if (!isPlain(text)) return undefined;
    const document = parse(text, { maxLexicalTokens: TOKENS_MAX, noLocation: true });
    return document.definitions.length > DEFINITIONS_MAX ? undefined : document;
  } catch (error) {
    if (error instanceof GraphQLError) return undefined;
    throw error;
  }
}

/** Token by token, without recursion. */
function isPlain(text: string): boolean {
  const lexer = new Lexer(new Source(text));
  let depth = 0;
  for (let tokens = 0; tokens <= TOKENS_MAX; tokens += 1) {
    const { kind, start, end } = lexer.advance();
    if (kind === TokenKind.EOF) return true;
    if (OPENING.has(kind)) depth += 1;
    if (CLOSING.has(kind)) depth -= 1;
    if (depth > DEPTH_MAX) return false;
    if (kind === TokenKind.BLOCK_STRING && /\\|"{4}/.test(text.slice(start, end))) return false;
  }
  return false;
}
