/**
 * Text from outside (names, texts of incidents, operators), made safe for what a report is written in: one line, with no
 * characters that move or hide others, no markup, no links, no formulas. Pure.
 */

/** Longer is cut, and ends in `…`. */
export const MAX_NAME_RUNES = 120;
export const MAX_PROSE_RUNES = 2_000;

const ellipsis = '…';
/** Seen by no reader, and ends what a program would take for an address or a mention. */
const breaker = '\u200b';

/** C0, C1, line and paragraph separators become a space; format characters (bidi, zero width) vanish. */
export function oneLine(text: string, maxRunes: number = MAX_NAME_RUNES): string {
  const line = text
    .toWellFormed()
    .replace(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, ' ')
    .replace(/\p{Cf}/gu, '')
    .replace(/\s+/gu, ' ')
    .trim();
  const runes = Array.from(line);
  return runes.length <= maxRunes ? line : `${runes.slice(0, maxRunes - 1).join('')}${ellipsis}`;
}

/**
 * Text that Markdown (GitHub's, and what forums use) shows as it is, in a paragraph and in a cell of a table. What would become
 * a link or a mention by itself is broken by a zero-width space.
 */
export function markdownText(text: string, maxRunes: number = MAX_NAME_RUNES): string {
  return oneLine(text, maxRunes)
    .replace(/[\\`*_{}[\]<>#~|!$^&]/g, String.raw`\$&`)
    .replace(/^(\d*)([.)])(?=\s|$)/u, String.raw`$1\$2`)
    .replace(/^[-+=]/u, String.raw`\$&`)
    .replace(/@/g, `@${breaker}`)
    .replace(/:(?=\/\/)/g, `:${breaker}`)
    .replace(/\b(mailto|xmpp|www)(?=[:.])/gi, `$1${breaker}`)
    .replace(/(?<=[\p{L}\p{N}])\.(?=[\p{L}\p{N}])/gu, `.${breaker}`);
}

/** `target.rpc.error` and its like, as the list of faults spells them, and no part of an address or a longer name. */
const fault = /(?<![\w./:@-])((?:target|resolver|probe)\.[a-z][a-z\d-]*\.[a-z][a-z\d-]*)(?![\w/:@-]|\.\w)/;

/** As markdownText, with names of faults as code: they are to be copied as they are. */
export function markdownProse(text: string): string {
  return oneLine(text, MAX_PROSE_RUNES)
    .split(fault)
    .map((part, i) => {
      if (i % 2 === 1) return markdownCode(part);
      const [, before = '', middle = '', after = ''] = /^( ?)(.*?)( ?)$/u.exec(part) ?? [];
      // What stands behind code begins no line.
      const written =
        i === 0
          ? markdownText(middle, MAX_PROSE_RUNES)
          : markdownText(`(${middle}`, MAX_PROSE_RUNES + 1).slice(1);
      return `${before}${written}${after}`;
    })
    .join('');
}

/** Printable ASCII as code, which makes no links either; with a back-tick, a pipe or a backslash, or anything else, as text. */
export function markdownCode(text: string): string {
  const isCode = text.length <= MAX_PROSE_RUNES && /^(?! )(?:(?![`|\\])[ -~])+(?<! )$/.test(text);
  return isCode ? `\`${text}\`` : markdownText(text, MAX_PROSE_RUNES);
}

/**
 * A field by RFC 4180. What a spreadsheet would take for a formula begins with an apostrophe, which spreadsheets do not show
 * (OWASP, CSV Injection); numbers are written as they are.
 */
export function csvField(value: string | number | undefined): string {
  if (value === undefined) return '';
  if (typeof value === 'number') return String(value);
  const line = oneLine(value, MAX_PROSE_RUNES);
  const safe = /^[=+\-@\t\r|%＝＋－＠]/u.test(line) ? `'${line}` : line;
  return /[",\n\r;']/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
