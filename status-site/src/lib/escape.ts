/** Text from outside on its way into HTML within a feed, or into XML. Svelte escapes everything else. */

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** For text and attribute values. */
export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => entities[character] ?? character);
}

/**
 * Leaves out what XML 1.0 (section 2.2, Char) does not allow, escaped or not: controls, lone surrogates,
 * U+FFFE and U+FFFF. One such character makes a whole feed unreadable.
 */
export function xmlSafe(text: string): string {
  return text.toWellFormed().replace(/[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu, '');
}
