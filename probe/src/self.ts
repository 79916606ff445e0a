/**
 * Is it me? Pure. A fault is the probe's only on evidence: a declared control of the same address family failed in
 * the same round, its clock stepped, its event loop stood still, or it ran out of descriptors (fault.ts).
 */
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
  readonly timeoutMs: number;
}

const stepLimitMs = 1_000;

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
  const timed = found.code === 'timeout' || found.code === 'slow';
  if (timed && evidence.loopLateMs >= evidence.timeoutMs / 4) {
    return fault('probe.loop.late', `by ${Math.round(evidence.loopLateMs)} ms, during ${said}`);
  }
  if (!wantsControls(found, evidence.loopback)) return found;
  const about = evidence.controls.filter((report) => concerns(report, evidence.family));
  // Where some controls answer, the probe's network works: the one that failed has its own trouble.
  const mine = about.length > 0 && about.every((report) => report.failed);
  return mine
    ? fault('probe.control.failed', `${about.map((report) => report.control).join(', ')}; ${said}`)
    : found;
}

function concerns(report: ControlReport, family: Family): boolean {
  if (family === 'name') return report.named;
  return report.family === family || (report.failed && report.family === 'name');
}

function isNetwork({ operation, code }: Fault): boolean {
  if (operation === 'resolve' || operation === 'connect') return code !== 'private';
  return (operation === 'tls' || operation === 'http') && (code === 'timeout' || code === 'reset');
}
