/** Where the time went, as bars below each other. Pure. */

export interface Bar {
  readonly name: string;
  /** Since the beginning of all, and how long: tenths of a millisecond. */
  readonly fromTenths: number;
  readonly tenths: number;
  /** In place of the bar. */
  readonly note?: string;
}

/** With less room bars say nothing, and the numbers stand alone. */
const fewestCells = 12;
const longestName = 28;
/** Beside a long note. */
const shortestName = 8;

/**
 * One line for each: name, duration, and its bar where it lies in the whole. Without colours: a block is a part of the
 * time, a thin one less than a part. `columns` is the room for one line.
 */
export function waterfall(bars: readonly Bar[], columns: number): string[] {
  const times = bars.map(({ tenths }) => milliseconds(tenths));
  const noteWidth = Math.max(0, ...bars.map(({ note = '' }) => note.length));
  const timeWidth = Math.max(0, ...times.map(({ length }) => length));
  const besideNotes = Math.max(shortestName, columns - timeWidth - 4 - noteWidth);
  const names = bars.map(({ name }) =>
    shortened(name, Math.min(longestName, Math.floor(columns / 2), besideNotes)),
  );
  const nameWidth = Math.max(0, ...names.map(({ length }) => length));
  const cells = columns - nameWidth - timeWidth - 4;
  const whole = Math.max(1, ...bars.map(({ fromTenths, tenths }) => fromTenths + tenths));
  return bars.map((bar, index) => {
    const drawn = cells < fewestCells ? '' : drawing(bar, whole, cells);
    const shown = bar.note ?? drawn;
    const line = `${names[index]?.padEnd(nameWidth)}  ${times[index]?.padStart(timeWidth)}  ${shown}`;
    return line.trimEnd();
  });
}

/** `0.4 ms`: always one decimal, so that the points stand below each other. */
export function milliseconds(tenths: number): string {
  return `${(tenths / 10).toFixed(1)} ms`;
}

function drawing({ fromTenths, tenths }: Bar, whole: number, cells: number): string {
  if (tenths === 0) return '';
  const at = Math.min(cells - 1, Math.floor((fromTenths / whole) * cells));
  const length = Math.round(((fromTenths + tenths) / whole) * cells) - at;
  return `${' '.repeat(at)}${length < 1 ? '▏' : '█'.repeat(Math.min(length, cells - at))}`;
}

/** The end tells more than the middle: paths and names of methods begin alike. */
function shortened(text: string, most: number): string {
  if (text.length <= most) return text;
  const end = Math.floor(most / 2);
  return `${text.slice(0, most - end - 1)}…${text.slice(text.length - end)}`;
}
