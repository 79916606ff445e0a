/** What the probes of the small world (small.ts) see. */

export interface SmallQuestion {
  readonly monitor: string;
  readonly dueAt: number;
  readonly probe: string;
  /** Minute of the day. */
  readonly at: number;
  /** Added to the latency, tenths: so that it is another line. */
  readonly longer: number;
}

const HEADS = ['chain.demo/ref.example.net/head', 'rpc/a/head', 'rpc/b/head'];
const BLOCK_MS = 3_000;

/** Failing, by monitor, in these minutes, with a fault and in these regions. */
const failures: readonly {
  readonly monitors: readonly string[];
  readonly from: number;
  readonly to: number;
  readonly fault: string;
  readonly probes?: readonly string[];
}[] = [
  { monitors: ['web/www/http', 'web/www/tcp'], from: 300, to: 309, fault: 'target.connect.refused' },
  { monitors: ['rpc/a/head', 'rpc/a/http'], from: 600, to: 619, fault: 'target.connect.timeout' },
  { monitors: ['rpc/b/head'], from: 610, to: 612, fault: 'target.connect.reset' },
  { monitors: ['web/www/http'], from: 650, to: 659, fault: 'target.http.status', probes: ['eu-1'] },
  { monitors: ['web/www/http'], from: 730, to: 740, fault: 'target.http.status' },
  { monitors: HEADS, from: 840, to: 859, fault: 'target.head.old' },
  { monitors: ['rpc/b/head'], from: 900, to: 920, fault: 'target.connect.refused' },
  {
    monitors: ['rpc/a/http', 'web/www/http'],
    from: 1_210,
    to: 1_214,
    fault: 'probe.control.failed',
    probes: ['asia-1', 'us-1'],
  },
];

/** The line of a check, and that of a recheck where it failed. */
export function smallLine({ monitor, dueAt, probe, at, longer }: SmallQuestion): string[] {
  const tenths = 300 + ((dueAt / 1_000) % 97) * 10 + (probe.length + monitor.length) * 20 + longer;
  const latency = Math.floor(tenths);
  const failure = failures.find(
    ({ monitors, from, to, probes = [probe] }) =>
      monitors.includes(monitor) && from <= at && at <= to && probes.includes(probe),
  );
  if (failure) {
    const outcome = failure.fault.startsWith('probe.') ? 'skipped' : 'fail';
    const line = `${monitor} ${dueAt} ${outcome} ${latency} ${failure.fault}`;
    return outcome === 'fail' ? [line, `${line} re=1`] : [line];
  }
  const outcome = monitor === 'web/www/http' && at >= 400 && at < 405 ? 'degraded' : 'ok';
  // What is degraded says by what.
  const fault = outcome === 'ok' ? '-' : 'target.http.slow';
  const head = monitor.endsWith('/head') ? headAt(monitor, dueAt) : '';
  return [`${monitor} ${dueAt} ${outcome} ${latency} ${fault}${head}`];
}

function headAt(monitor: string, dueAt: number): string {
  // One node is behind by a block or two for a while.
  const behind = monitor === 'rpc/b/head' ? Math.floor(dueAt / 60_000) % 3 : 0;
  const height = Math.floor(dueAt / BLOCK_MS) - behind;
  const id = (height % 0xffff_ffff).toString(16).padStart(8, '0').slice(-8);
  return ` bt=${height * BLOCK_MS} h=${height} id=${id}`;
}
