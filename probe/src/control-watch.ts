/**
 * Asks the controls once a minute though nothing failed, so that a probe knows that it is offline even while nothing
 * is due; at a second of its own, so that the probes of one place do not ask together.
 */
import type { Instant } from '@highwater/config/time.ts';
import { MINUTE_MS } from '@highwater/config/time.ts';
import type { Controls } from './controls.ts';
import type { ControlReport } from './self.ts';

/** By address family, whether any control was reached over it; absent where none was asked. */
export interface Reached {
  readonly 4?: boolean;
  readonly 6?: boolean;
}

/** Those whose name nobody could resolve were asked over neither family, and count as failed over both. */
export function reachedBy(reports: readonly ControlReport[]): Reached {
  const over = (family: '4' | '6') => reports.filter((report) => report.family === family);
  const unresolved = reports.length > 0 && reports.every((report) => report.family === 'name');
  const said = (family: '4' | '6') =>
    unresolved ? false : over(family).length === 0 ? undefined : over(family).some(({ failed }) => !failed);
  const [four, six] = [said('4'), said('6')];
  return { ...(four === undefined ? {} : { 4: four }), ...(six === undefined ? {} : { 6: six }) };
}

export interface ControlWatch extends Disposable {
  /** Asked now, whatever the time. */
  look(): Promise<void>;
}

export interface ControlWatchOptions {
  readonly controls: Controls;
  /** In the minute, ms: the same for one probe each time. */
  readonly phaseMs: number;
  readonly now: () => Instant;
  /** Told of what was found, each time. */
  readonly found: (reached: Reached) => void;
}

export function watchControls({ controls, phaseMs, now, found }: ControlWatchOptions): ControlWatch {
  let timer: NodeJS.Timeout | undefined;
  let over = false;
  const look = async () => {
    const reports = await controls.ask();
    if (!over) found(reachedBy(reports));
  };
  const rest = () => {
    const waitMs = MINUTE_MS - ((((now() - phaseMs) % MINUTE_MS) + MINUTE_MS) % MINUTE_MS);
    timer = setTimeout(() => void look().finally(() => over || rest()), waitMs);
    timer.unref();
  };
  rest();
  return {
    look,
    [Symbol.dispose]() {
      over = true;
      clearTimeout(timer);
    },
  };
}
