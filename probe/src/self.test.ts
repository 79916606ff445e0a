import { describe, expect, it } from 'vitest';
import { faultId } from '@highwater/config/faults.ts';
import { fault } from './fault.ts';
import { acrossStop, type ControlReport, type Evidence, ownUp } from './self.ts';

const none: Evidence = {
  family: '4',
  loopback: false,
  controls: [],
  loopLateMs: 0,
  clockStepMs: 0,
  isClockSure: true,
  isOutOfDescriptors: false,
  timeoutMs: 1_000,
};
const control = (more: Partial<ControlReport>): ControlReport => ({
  control: 'https://www.example.org',
  named: true,
  family: '4',
  failed: true,
  ...more,
});
const judged = (id: string, evidence: Partial<Evidence>) =>
  faultId(ownUp(fault(id), { ...none, ...evidence }));

describe('a fault is the probe’s only on evidence', () => {
  it.each<[string, string, Partial<Evidence>, string]>([
    ['no evidence', 'target.connect.timeout', {}, 'target.connect.timeout'],
    ['a control failed', 'target.connect.timeout', { controls: [control({})] }, 'probe.control.failed'],
    [
      'a control failed, loopback',
      'target.connect.refused',
      { controls: [control({})], loopback: true },
      'target.connect.refused',
    ],
    [
      'a control answered',
      'target.connect.timeout',
      { controls: [control({ failed: false })] },
      'target.connect.timeout',
    ],
    [
      'one of two failed',
      'target.connect.timeout',
      { controls: [control({}), control({ failed: false })] },
      'target.connect.timeout',
    ],
    [
      'a control of the other family',
      'target.connect.timeout',
      { controls: [control({ family: '6' })] },
      'target.connect.timeout',
    ],
    [
      'its own family over IPv6',
      'target.connect.timeout',
      { family: '6', controls: [control({ family: '6' }), control({ failed: false })] },
      'probe.control.failed',
    ],
    [
      'no name resolves',
      'resolver.resolve.timeout',
      { family: 'name', controls: [control({ family: 'name' })] },
      'probe.control.failed',
    ],
    [
      'other names resolve',
      'resolver.resolve.timeout',
      { family: 'name', controls: [control({ failed: false })] },
      'resolver.resolve.timeout',
    ],
    [
      'only an address was asked',
      'resolver.resolve.timeout',
      { family: 'name', controls: [control({ named: false })] },
      'resolver.resolve.timeout',
    ],
    [
      'a bad status needs no network',
      'target.http.status',
      { controls: [control({})] },
      'target.http.status',
    ],
    ['a private address', 'target.connect.private', { controls: [control({})] }, 'target.connect.private'],
    ['an rpc error', 'target.rpc.error', { controls: [control({})] }, 'target.rpc.error'],
    ['the loop stood still', 'target.http.timeout', { loopLateMs: 250 }, 'probe.loop.late'],
    ['the loop was a little late', 'target.http.timeout', { loopLateMs: 249 }, 'target.http.timeout'],
    [
      'the loop stood still, but refused is refused',
      'target.connect.refused',
      { loopLateMs: 900 },
      'target.connect.refused',
    ],
    [
      'the loop stood still on loopback',
      'target.http.timeout',
      { loopLateMs: 900, loopback: true },
      'probe.loop.late',
    ],
    ['the clock stepped', 'target.head.old', { clockStepMs: -1_001 }, 'probe.clock.stepped'],
    ['the clock was slewed', 'target.head.old', { clockStepMs: 1_000 }, 'target.head.old'],
    ['the clock is not known', 'target.head.old', { isClockSure: false }, 'probe.clock.wrong'],
    ['the clock is not known', 'target.tls.not-yet-valid', { isClockSure: false }, 'probe.clock.wrong'],
    [
      'what needs no clock is the target’s whatever the clock',
      'target.http.status',
      { isClockSure: false },
      'target.http.status',
    ],
    ...(['target.ws.closed', 'target.ws.silent', 'target.tcp.timeout', 'target.dns.timeout'] as const).map(
      (id): [string, string, Partial<Evidence>, string] => [
        `a connection that goes dead with the network: ${id}`,
        id,
        { controls: [control({})] },
        'probe.control.failed',
      ],
    ),
    [
      'a name whose control is reached over IPv4 and not over IPv6',
      'resolver.resolve.timeout',
      { family: 'name', controls: [control({ failed: false }), control({ family: '6' })] },
      'resolver.resolve.timeout',
    ],
    [
      'IPv6 is gone, a failure over IPv4 is no less one',
      'target.connect.timeout',
      { controls: [control({ failed: false }), control({ family: '6' })] },
      'target.connect.timeout',
    ],
    [
      'IPv4 is gone, a failure over IPv6 is no less one',
      'target.connect.timeout',
      { family: '6', controls: [control({}), control({ family: '6', failed: false })] },
      'target.connect.timeout',
    ],
    [
      'IPv6 was asked of no control',
      'target.connect.timeout',
      { family: '6', controls: [control({})] },
      'target.connect.timeout',
    ],
    [
      'a name, without a descriptor to ask with',
      'resolver.resolve.failed',
      { family: 'name', isOutOfDescriptors: true },
      'probe.fd.exhausted',
    ],
    ['what was asked needs none', 'target.http.status', { isOutOfDescriptors: true }, 'target.http.status'],
    ['it is the probe’s already', 'probe.fd.exhausted', { controls: [control({})] }, 'probe.fd.exhausted'],
  ])('%s', (_, id, evidence, expected) => {
    expect(judged(id, evidence)).toBe(expected);
  });

  it('and what the target did is kept in the detail', () => {
    const found = ownUp(fault('target.connect.timeout', 'x'), { ...none, controls: [control({})] });
    expect(found.detail).toBe('https://www.example.org; target.connect.timeout (x)');
  });
});

it('what was seen across a stop is nothing seen, whether it looked good or bad', () => {
  const at = { monitor: 'rpc/a/head', dueAt: 60_000, lateMs: 2, recheck: false };
  const good = { ...at, outcome: 'ok' as const, latencyTenths: 3_000_000, facts: { h: '7' } };
  const seen = { ...at, outcome: 'skipped', latencyTenths: 0, facts: {} };
  expect(acrossStop(good, 300_400)).toEqual({
    ...seen,
    fault: { source: 'probe', operation: 'loop', code: 'suspended', detail: 'for 300 s' },
  });
  const bad = { ...good, outcome: 'fail' as const, fault: fault('target.http.timeout') };
  expect(acrossStop(bad, 300_400).fault?.detail).toBe('for 300 s, during target.http.timeout');
});
