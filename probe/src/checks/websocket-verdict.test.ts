import { describe, expect, it } from 'vitest';
import type { Chain } from '@highwater/config/model.ts';
import { faultId } from '@highwater/config/faults.ts';
import { fault } from '../fault.ts';
import { noCounts, noStream } from './stream-fold.ts';
import type { KeptState } from './stream-keep.ts';
import {
  defaultMaxSilenceMs,
  dropped,
  gapped,
  type Judged,
  keptFacts,
  silent,
  slow,
  unreadable,
} from './websocket-verdict.ts';

const good: KeptState = {
  downSinceMs: undefined,
  quietSinceMs: 0,
  movedAtMs: undefined,
  lost: 0,
  trouble: undefined,
  renewing: false,
  lostBy: undefined,
  closeCode: undefined,
};
const told = (judged: Judged | undefined) =>
  judged ? `${judged.outcome} ${faultId(judged.fault)}` : 'nothing';

describe('how long nothing may be pushed', () => {
  it.each([
    [12_000, 600_000, 72_000],
    [250, 60_000, 30_000],
    [600_000, 7_200_000, 3_600_000],
    [2_800, 17_000, 17_000],
  ])('with blocks each %d ms that may be %d ms old: %d ms', (blockTimeMs, maxAgeMs, expected) => {
    expect(defaultMaxSilenceMs({ blockTimeMs, maxAgeMs } as Chain)).toBe(expected);
  });
});

describe('silence', () => {
  const at = (nowMs: number, due = true) => ({ maxSilenceMs: 100, nowMs, due });
  it.each<[string, Partial<KeptState>, ReturnType<typeof at>, string]>([
    ['just within the limit', {}, at(100), 'nothing'],
    ['over it', {}, at(101), 'fail target.ws.silent'],
    ['over it with nothing to push', {}, at(101, false), 'nothing'],
    ['never made, for not long', { downSinceMs: 0, quietSinceMs: undefined }, at(100), 'nothing'],
    ['never made, for long', { downSinceMs: 0, quietSinceMs: undefined }, at(101), 'fail target.ws.silent'],
    [
      'never made, with nothing to push',
      { downSinceMs: 0, quietSinceMs: undefined },
      at(101, false),
      'fail target.ws.silent',
    ],
    ['lost a moment ago', { downSinceMs: 90 }, at(101), 'nothing'],
  ])('%s', (_, kept, silence, expected) => {
    expect(told(silent({ ...good, ...kept }, silence))).toBe(expected);
  });
});

describe('a connection that is down', () => {
  const trouble = fault('target.ws.upgrade', '503');
  it.each<[string, Partial<KeptState>, string]>([
    ['nothing else', {}, 'the long-lived connection is down for 31 s'],
    ['why', { trouble }, 'the long-lived connection is down for 31 s: target.ws.upgrade 503'],
    [
      'that it was ended for its silence',
      { renewing: true },
      'the long-lived connection, made anew after silence, has not opened for 31 s',
    ],
    [
      'both',
      { renewing: true, trouble },
      'the long-lived connection, made anew after silence, has not opened for 31 s: target.ws.upgrade 503',
    ],
  ])('says %s', (_, kept, expected) => {
    const silence = { maxSilenceMs: 30_000, nowMs: 31_000, due: true };
    expect(silent({ ...good, downSinceMs: 0, ...kept }, silence)?.fault.detail).toBe(expected);
  });
});

describe('what ended it', () => {
  it.each([
    ['target.ws.closed', 'nothing'],
    ['target.ws.timeout', 'nothing'],
    ['target.http.reset', 'nothing'],
    ['target.connect.refused', 'nothing'],
    ['probe.check.failed', 'nothing'],
    ['target.ws.protocol', 'fail target.ws.protocol'],
    ['target.ws.too-large', 'fail target.ws.too-large'],
    ['target.ws.subscription', 'fail target.ws.subscription'],
    ['target.rpc.result', 'fail target.rpc.result'],
    ['target.head.stopped', 'fail target.head.stopped'],
  ])('%s is %s', (id, expected) => {
    expect(told(unreadable({ ...good, lost: 1, lostBy: fault(id) }))).toBe(expected);
  });
});

describe('what was counted', () => {
  it.each([
    [dropped({ ...good, lost: 1 }), 'nothing'],
    [dropped({ ...good, lost: 2 }), 'degraded target.ws.dropped'],
    [gapped(noCounts), 'nothing'],
    [gapped({ ...noCounts, missing: 1 }), 'degraded target.ws.gap'],
    [gapped({ ...noCounts, repeated: 9, replaced: 9 }), 'nothing'],
    [slow(100, undefined), 'nothing'],
    [slow(100, 10), 'nothing'],
    [slow(101, 10), 'degraded target.ws.slow'],
  ])('%#', (judged, expected) => {
    expect(told(judged)).toBe(expected);
  });

  it('is told as facts, without those that are 0', () => {
    const stream = {
      ...noStream,
      finalizedHeight: 7,
      counts: { fresh: 5, repeated: 1, replaced: 2, missing: 3 },
    };
    expect(keptFacts({ ...good, movedAtMs: 40.4, lost: 4, closeCode: 1006 }, stream, 90)).toEqual({
      age: '50',
      cc: '1006',
      fh: '7',
      gap: '3',
      lost: '4',
      rep: '1',
      reorg: '2',
    });
    expect(keptFacts(good, noStream, 90)).toEqual({});
  });
});
