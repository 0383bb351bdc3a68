/**
 * Text inside HTML and SVG.
 *
 * @module
 */

/** `text`, safe as text and as the value of an attribute in either kind of quotes. */
export function escapeHtml(text: string): string {
  return text.replace(/[&<>"'`]/g, (one) => `&#${one.charCodeAt(0)};`);
}
