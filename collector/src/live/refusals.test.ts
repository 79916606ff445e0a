import { expect, it } from 'vitest';
import { formatFrameText } from '@highwater/config/proof/frame.ts';
import { testHouse } from '../testing/config.ts';
import { watch } from '../watched.ts';
import { arrivedIn, saidIn } from './answers.ts';

it('a refusal that is skipped is no answer, but tells why there is none; one that is not is a fail', () => {
  const { config, keys } = testHouse();
  const said = (rest: string) => {
    const lines = [`web/main/http 8 ${rest}`];
    const text = formatFrameText({ origin: config.origin, probe: 'eu-1', epoch: 0, frame: 0, lines });
    const frame = { pos: 1, probe: 'eu-1', epoch: 0, frame: 0, receivedAt: 9, note: keys.eu.sign(text) };
    const { answers, troubles } = saidIn(watch(config), arrivedIn(frame));
    return { answers: answers.map(({ outcome }) => outcome), troubles: troubles.map(({ fault }) => fault) };
  };
  expect(said('skipped 12 target.http.refused sc=429')).toEqual({
    answers: [],
    troubles: ['target.http.refused'],
  });
  expect(said('fail 12 target.http.refused sc=429')).toEqual({ answers: ['fail'], troubles: [] });
});
