/** Tables of GitHub-flavoured Markdown whose columns also stand under each other in plain text. Pure. */

/** Of a column; longer cells are not padded. */
const MAX_PADDING = 60;

/** Cells are Markdown already, on one line and without a bare pipe. The first column is text, the others are numbers. */
export function markdownTable(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  textColumns = 1,
): string {
  const all = [head, ...rows];
  const widths = head.map((_, column) =>
    Math.min(MAX_PADDING, Math.max(4, ...all.map((row) => lengthOf(row[column] ?? '')))),
  );
  const line = (row: readonly string[]): string =>
    `| ${widths.map((width, column) => pad(row[column] ?? '', width, column >= textColumns)).join(' | ')} |`;
  const rule = widths.map((width, column) =>
    column >= textColumns ? `${'-'.repeat(width - 1)}:` : '-'.repeat(width),
  );
  return [line(head), `| ${rule.join(' | ')} |`, ...rows.map(line)].join('\n');
}

function lengthOf(text: string): number {
  return Array.from(text).length;
}

function pad(text: string, width: number, isRight: boolean): string {
  const space = ' '.repeat(Math.max(0, width - lengthOf(text)));
  return isRight ? space + text : text + space;
}
