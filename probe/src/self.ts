/**
 * Is it me? Pure. A fault is the probe's only on evidence: a declared control of the same address family failed in
 * the same round, its clock stepped or is not known to be right, its event loop stood still or was stopped, or it ran
 * out of descriptors (fault.ts).
 */
import type { Observation } from '@highwater/config/domain.ts';
import type { Fault } from '@highwater/config/faults.ts';
import { faultId } from '@highwater/config/faults.ts';
import { fault } from './fault.ts';

/** Address family, or `name` for what never got as far as an address. */
export type Family = '4' | '6' | 'name';

/** What one declared control said in this round. */
export interface ControlReport {
  readonly control: string;
  /** Whether it has to be resolved first. */
  readonly named: boolean;
  /** The family that it was asked over; `name` when it was not resolved. */
  readonly family: Family;
  readonly failed: boolean;
}

export interface Evidence {
  readonly family: Family;
  /** The target is on this machine: no network lies between, so controls say nothing. */
  readonly loopback: boolean;
  readonly controls: readonly ControlReport[];
  /** How long the event loop stood still while the check ran, ms. */
  readonly loopLateMs: number;
  /** How far the wall clock moved against the monotonic one while the check ran, ms. */
  readonly clockStepMs: number;
  /** The clock is known to within what the rule takes: a bound of 0 to 2,000 ms. */
  readonly isClockSure: boolean;
  /** Nothing more can be opened now. */
  readonly isOutOfDescriptors: boolean;
  readonly timeoutMs: number;
}

const stepLimitMs = 1_000;

/** What depends on what time it is, and would be said of a good target by a clock that is wrong. */
const byTheClock: ReadonlySet<string> = new Set([
  'target.head.old',
  'target.head.future',
  'target.tls.expired',
  'target.tls.not-yet-valid',
]);

/** Codes of what a network that is gone looks like once a connection is made. */
const cutOff: ReadonlySet<string> = new Set(['timeout', 'reset', 'closed', 'silent', 'dropped']);
const overNetwork: ReadonlySet<string> = new Set(['tls', 'tcp', 'http', 'ws', 'dns']);

/** Whether asking the controls could change the fault's source. */
export function wantsControls(found: Fault, loopback: boolean): boolean {
  return !loopback && found.source !== 'probe' && isNetwork(found);
}

/** The fault as it should be written: the target's, or the probe's own. */
export function ownUp(found: Fault, evidence: Evidence): Fault {
  if (found.source === 'probe') return found;
  const said = `${faultId(found)}${found.detail === undefined ? '' : ` (${found.detail})`}`;
  if (Math.abs(evidence.clockStepMs) > stepLimitMs) {
    return fault('probe.clock.stepped', `by ${Math.round(evidence.clockStepMs)} ms, during ${said}`);
  }
  if (!evidence.isClockSure && byTheClock.has(faultId(found))) {
    return fault('probe.clock.wrong', `during ${said}`);
  }
  if (evidence.isOutOfDescriptors && found.operation === 'resolve') {
    return fault('probe.fd.exhausted', `during ${said}`);
  }
  const timed = found.code === 'timeout' || found.code === 'slow';
  if (timed && evidence.loopLateMs >= evidence.timeoutMs / 4) {
    return fault('probe.loop.late', `by ${Math.round(evidence.loopLateMs)} ms, during ${said}`);
  }
  if (!wantsControls(found, evidence.loopback)) return found;
  const about = evidence.controls.filter((report) => concerns(report, evidence.family));
  // Where some controls answer, the probe's network works: the one that failed has its own trouble.
  const mine = about.length > 0 && about.every((report) => report.failed);
  return mine
    ? fault(
        'probe.control.failed',
        `${[...new Set(about.map((report) => report.control))].join(', ')}; ${said}`,
      )
    : found;
}

function concerns(report: ControlReport, family: Family): boolean {
  if (family === 'name') return report.named;
  // One whose name did not resolve was asked over neither family, and is as good as failed over both.
  return report.family === family || (report.failed && report.family === 'name');
}

function isNetwork({ operation, code }: Fault): boolean {
  if (operation === 'resolve' || operation === 'connect') return code !== 'private';
  return overNetwork.has(operation) && cutOff.has(code);
}

/**
 * An observation during which the process was stopped for so long saw nothing: a good answer took as long as the stop,
 * and a deadline passed without the target.
 */
export function acrossStop(observation: Observation, stoppedMs: number): Observation {
  const { monitor, dueAt, lateMs, recheck, fault: found } = observation;
  const during = found === undefined ? '' : `, during ${faultId(found)}`;
  const own = fault('probe.loop.suspended', `for ${Math.round(stoppedMs / 1_000)} s${during}`);
  return { monitor, dueAt, lateMs, recheck, outcome: 'skipped', latencyTenths: 0, facts: {}, fault: own };
}
