/** Tables of a report as their component takes them: text alone. Pure. */

export interface Column {
  readonly name: string;
  readonly isNumber?: boolean;
}

export interface Table {
  /** Unlike any other on its page. */
  readonly key: string;
  readonly caption: string;
  readonly columns: readonly Column[];
  /** The first cell names the row. */
  readonly rows: readonly (readonly string[])[];
  /** What it is folded under on a screen; left out: it is open. */
  readonly fold?: string;
  /** Too wide for a narrow window however few columns there are. */
  readonly isWide?: boolean;
}

/** A longer one is folded. */
export const OPEN_ROWS = 10;

/** `*` before a name: its column holds numbers. */
export function columnsOf(...names: readonly string[]): readonly Column[] {
  return names.map((name) => (name.startsWith('*') ? { name: name.slice(1), isNumber: true } : { name }));
}

/** Undefined without rows. */
export function tableOf(
  key: string,
  caption: string,
  columns: readonly Column[],
  rows: Table['rows'],
  fold?: string,
): Table | undefined {
  if (rows.length === 0) return undefined;
  const folded = fold ?? (rows.length > OPEN_ROWS ? `${caption}: ${rows.length} rows` : undefined);
  return { key, caption, columns, rows, ...(folded === undefined ? {} : { fold: folded }) };
}
