import { describe, expect, it } from 'vitest';
import { generateSigningKey, parseVerifier, sha256 } from '@highwater/config/keys.ts';
import { bodyHashOf, formatAssignmentText } from '@highwater/config/proof/assignment.ts';
import { ZERO_HASH } from '@highwater/config/proof/leaf-hash.ts';
import { openAssignment } from './assign.ts';

const operator = generateSigningKey('status.example.com/log');
const other = generateSigningKey('status.example.com/log');
const given = {
  probe: 'eu-1',
  region: 'eu',
  number: 7,
  config: ZERO_HASH,
  seed: '00112233445566778899aabbccddeeff',
  controls: [],
  chains: [],
  monitors: [],
};

interface Change {
  readonly body?: object;
  readonly note?: object;
  readonly sentBody?: string;
  readonly signer?: typeof operator;
}

function opened({ body: change = {}, note: noteChange = {}, sentBody, signer = operator }: Change) {
  const body = JSON.stringify({ ...given, ...change });
  const { probe, number, config } = given;
  const bodyHash = bodyHashOf(body, sha256);
  const text = formatAssignmentText({
    origin: operator.name,
    probe,
    number,
    config,
    bodyHash,
    ...noteChange,
  });
  const assignment = { note: signer.sign(text), body: sentBody ?? body };
  return openAssignment(assignment, 'eu-1', parseVerifier(operator.vkey));
}

describe('an assignment', () => {
  it('that is signed and whole is taken', () => {
    expect(opened({})).toEqual({ origin: operator.name, body: given });
  });

  it.each<[string, Change, RegExp]>([
    ['by another key of the same name', { signer: other }, /a key that is not known here; this probe trusts/],
    ['for another probe', { note: { probe: 'us-1' } }, /it is for the probe us-1/],
    ['for another log', { note: { origin: 'evil.example/log' } }, /it is for the log evil\.example\/log/],
    [
      'with another body',
      { sentBody: JSON.stringify({ ...given, region: 'us' }) },
      /not the one that was signed/,
    ],
    ['with another number in its body', { body: { number: 8 } }, /contradict each other/],
    ['whose body is for another probe', { body: { probe: 'us-1' } }, /contradict each other/],
    ['with a key that is not known', { body: { shell: 'rm' } }, /another form/],
    ['without monitors', { body: { monitors: undefined } }, /another form: monitors/],
  ])('%s is refused', (_, change, message) => {
    const result = opened(change);
    expect('error' in result ? result.error : 'taken').toMatch(message);
  });
});
