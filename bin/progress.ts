/** How far something long has come: one line of standard error that is written over, in a terminal alone. */

/** Shown at most so often. */
const EVERY_MS = 200;

export function progressLine(stream: NodeJS.WriteStream = process.stderr): {
  says: (text: string) => void;
  end: () => void;
} {
  let shownAt = -Infinity;
  let width = 0;
  return {
    says(text) {
      if (!stream.isTTY || performance.now() - shownAt < EVERY_MS) return;
      shownAt = performance.now();
      const line = text.slice(0, Math.max(0, stream.columns - 1));
      stream.write(`\r${line.padEnd(width)}`);
      width = line.length;
    },
    end() {
      if (width > 0) stream.write(`\r${' '.repeat(width)}\r`);
      width = 0;
    },
  };
}
