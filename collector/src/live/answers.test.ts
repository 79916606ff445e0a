import { formatFrameText } from '@highwater/config/proof/frame.ts';
import { describe, expect, it } from 'vitest';
import { testHouse } from '../testing/config.ts';
import { watch } from '../watched.ts';
import { arrivedIn, saidIn } from './answers.ts';

const { config, keys } = testHouse();
const watched = watch(config);

function said(probe: string, line: string): unknown {
  const text = formatFrameText({ origin: config.origin, probe: 'eu-1', epoch: 0, frame: 0, lines: [line] });
  const note = keys.eu.sign(text);
  const { answers, troubles } = saidIn(
    watched,
    arrivedIn({ pos: 1, probe, epoch: 0, frame: 0, receivedAt: 9, note }),
  );
  return [...answers.map(({ outcome, fault }) => [outcome, fault]), ...troubles.map(({ fault }) => fault)];
}

/** Probe, line, outcome and fault of answers, fault of troubles. */
const rows: [string, string, unknown[]][] = [
  ['eu-1', 'web/main/http 8 ok 12 -', [['ok', undefined]]],
  ['eu-1', 'web/main/http 8 fail 12 target.connect.refused', [['fail', 'target.connect.refused']]],
  ['eu-1', 'web/main/http 8 fail 12 probe.control.failed', ['probe.control.failed']],
  ['eu-1', 'web/main/http 8 skipped 0 probe.loop.late', ['probe.loop.late']],
  ['eu-1', 'web/main/http 2009 ok 12 -', [['ok', undefined]]],
  ['eu-1', 'web/main/http 2010 ok 12 -', ['probe.clock.wrong']],
  ['eu-1', 'web/main/http 3600000 fail 12 target.connect.refused', ['probe.clock.wrong']],
  ['eu-1', 'web/gone/http 8 skipped 0 probe.loop.late', []],
  ['gone-1', 'web/main/http 8 ok 12 -', []],
];

it('tells of a head its checkpoint and what is final, and of calls what nodes are compared by', () => {
  const text = formatFrameText({
    origin: config.origin,
    probe: 'eu-1',
    epoch: 0,
    frame: 0,
    lines: [
      'rpc/a/head 8 ok 12 - bt=7 cp=64.0123abcd fh=90 g=aaaaaaaa h=100',
      'rpc/a/jsonrpc 8 ok 12 - e.eth_call=00000001.00000002 e.eth_getCode=00000003.00000004 m.eth_call=9',
    ],
  });
  const frame = { pos: 1, probe: 'eu-1', epoch: 0, frame: 0, receivedAt: 9, note: keys.eu.sign(text) };
  const [head, calls] = saidIn(watched, arrivedIn(frame)).answers;
  expect(head).toMatchObject({ blockAt: 7, finalizedHeight: 90, checkpoint: { height: 64, id: '0123abcd' } });
  expect(head).not.toHaveProperty('equal');
  expect(calls?.equal).toEqual({ eth_call: '00000001.00000002', eth_getCode: '00000003.00000004' });
});

describe('what a frame says', () => {
  it.each(rows)('%s: %s', (probe, line, expected) => expect(said(probe, line)).toEqual(expected));
});
