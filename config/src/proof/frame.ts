/** The frame: a probe's lines as they come, signed at most once a second; live verdicts use them. */
import { MAX_LINE_BYTES } from './line.ts';
import { readText, takeId, takeNumber, takeOrigin } from './text.ts';

const HEADER = 'highwater/frame/v1';
/** More lines than this in one frame are refused; a probe splits them over the next seconds. */
export const MAX_FRAME_LINES = 20_000;

export interface Frame {
  /** Origin of the log without the year. */
  readonly origin: string;
  readonly probe: string;
  readonly epoch: number;
  /** Counts up by one within an epoch. */
  readonly frame: number;
  /** Without their LF; empty is allowed (a sign of life). Each still needs parseLine. */
  readonly lines: readonly string[];
}

export function formatFrameText(f: Frame): string {
  const head = `${HEADER}\nlog ${f.origin}\nprobe ${f.probe}\nepoch ${f.epoch}\nframe ${f.frame}\n`;
  return f.lines.length === 0 ? head : `${head}${f.lines.join('\n')}\n`;
}

/** Checks the frame's own lines and the form of the others (printable ASCII, bounded); never throws. */
export function parseFrameText(text: string): Frame | { error: string } {
  return readText<Frame>(
    text,
    HEADER,
    (lines) => {
      const origin = takeOrigin(lines);
      const probe = takeId(lines, 'probe');
      const epoch = takeNumber(lines, 'epoch');
      const frame = takeNumber(lines, 'frame');
      const rest = lines.rest();
      if (rest.length > MAX_FRAME_LINES) lines.fail(`a frame has at most ${MAX_FRAME_LINES} lines`);
      // The whole at once: a test of each line costs as much as reading it.
      const bad = isPrintable.test(text)
        ? rest.findIndex(({ length }) => length === 0 || length > MAX_LINE_BYTES)
        : rest.findIndex((line) => !isLineShaped(line));
      if (bad >= 0)
        lines.fail(`observation ${bad + 1} is not 1 to ${MAX_LINE_BYTES} printable ASCII characters`);
      return { origin, probe, epoch, frame, lines: rest };
    },
    formatFrameText,
  );
}

/** ASCII that is seen, spaces and line feeds. */
const isPrintable = /^[\x20-\x7e\n]*$/;

function isLineShaped(line: string): boolean {
  return line.length <= MAX_LINE_BYTES && /^[\x20-\x7e]+$/.test(line);
}
