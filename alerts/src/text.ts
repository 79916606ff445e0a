/** Text from outside, made safe to show: one line, no characters that move or hide others, cut at runes. Pure. */

/** What is cut ends in this. */
const ellipsis = '…';

/**
 * One line of plain text of at most `maxRunes` code points.
 * C0, C1, line and paragraph separators become a space; format characters (bidi controls, zero width, soft
 * hyphens: Unicode's Cf) vanish, as they can make a text read as another; lone surrogates become U+FFFD.
 */
export function plain(text: string, maxRunes: number): string {
  const line = text
    .toWellFormed()
    .replace(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, ' ')
    .replace(/\p{Cf}/gu, '')
    .replace(/ {2,}/g, ' ')
    .trim();
  return cut(line, maxRunes);
}

/** At most `maxRunes` code points; what is cut ends in `…`. */
export function cut(text: string, maxRunes: number): string {
  if (text.length <= maxRunes) return text;
  const runes = Array.from(text);
  if (runes.length <= maxRunes) return text;
  return `${runes.slice(0, Math.max(0, maxRunes - 1)).join('')}${ellipsis}`;
}

/**
 * Turns a text into escaped form of at most `maxUnits` UTF-16 units. A rune that does not fit is left out whole
 * with its escape, so that no escape is ever cut in two.
 */
export function escapeWithin(text: string, maxUnits: number, escape: (rune: string) => string): string {
  const pieces = Array.from(text, escape);
  const whole = pieces.join('');
  if (whole.length <= maxUnits) return whole;
  let out = '';
  for (const piece of pieces) {
    if (out.length + piece.length + ellipsis.length > maxUnits) break;
    out += piece;
  }
  return out + ellipsis;
}

/** Longest line of a message, and most lines: below these render.ts stays by itself. */
export const messageLimits = { lineRunes: 1_000, lines: 40, titleRunes: 250 } as const;

/** A message whose strings are plain, whoever made it: each channel begins with this. */
export function plainMessage<M extends { readonly title: string; readonly lines: readonly string[] }>(
  message: M,
): M {
  const { lines, title } = message;
  return {
    ...message,
    title: plain(title, messageLimits.titleRunes),
    lines: lines.slice(0, messageLimits.lines).map((line) => plain(line, messageLimits.lineRunes)),
  };
}
