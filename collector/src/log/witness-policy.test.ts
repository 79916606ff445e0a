import { signingKeyFromSeed, sha256, witnessSigningKey } from '@highwater/config/keys.ts';
import { noWitnesses } from '@highwater/config/no-witnesses.ts';
import { parsePolicy, policyMet } from '@highwater/config/proof/policy.ts';
import { describe, expect, it } from 'vitest';
import { policyText } from './witness-policy.ts';
import { quorumGraceMs, quorumSize } from './witness-quorum.ts';

const logKeys = [2026, 2027].map(
  (year) => signingKeyFromSeed(`status.example.com/log/${year}`, new Uint8Array(32).fill(year % 256)).vkey,
);
const witness = (number: number) => ({
  id: `w${number}`,
  url: `https://w${number}.example.net/w`,
  key: witnessSigningKey(`w${number}.example.net`, new Uint8Array(32).fill(number)).vkey,
  everyMs: 0,
});

describe('the policy file', () => {
  it('without witnesses asks for nobody, and says what that means', () => {
    const text = policyText({}, logKeys);
    expect(text).toBe(`# ${noWitnesses}\nlog ${logKeys[0]}\nlog ${logKeys[1]}\nquorum none\n`);
    expect(parsePolicy(text, sha256)).toMatchObject({ witnesses: [], quorum: 'none' });
  });

  it.each([
    [1, 1],
    [2, 3],
    [15, 15],
  ])('asks for %d of %d', (quorum, count) => {
    const list = Array.from({ length: count }, (_, number) => witness(number + 1));
    const text = policyText({ witnesses: { quorum, list } }, logKeys);
    const policy = parsePolicy(text, sha256);
    if ('error' in policy) throw new Error(policy.error);
    expect(policy.logs.map(({ vkey }) => vkey)).toEqual(logKeys);
    expect(policy.witnesses).toEqual(list.map(({ id, key, url }) => ({ name: id, vkey: key, url })));
    const names = list.map(({ id }) => id);
    expect(policyMet(policy, names.slice(0, quorum))).toBe(true);
    expect(policyMet(policy, names.slice(0, quorum - 1))).toBe(false);
  });

  it('without a log yet is a policy too', () => {
    expect(parsePolicy(policyText({}, []), sha256)).toMatchObject({ logs: [] });
  });
});

describe('the quorum', () => {
  it.each([
    [[], 1, 0],
    [[5], 1, 5],
    [[5, 9], 1, 9],
    [[5, 9], 2, 5],
    [[9, 0, 5], 2, 5],
    [[9, 0, 5], 3, 0],
    [[10, 9, 100], 2, 10],
  ])('of sizes %j with %d asked for is %d', (sizes, quorum, size) => {
    expect(quorumSize(sizes, quorum)).toBe(size);
  });

  it('waits a minute, and for witnesses that are asked seldom', () => {
    expect(quorumGraceMs([{ everyMs: 0 }])).toBe(60_000);
    expect(quorumGraceMs([{ everyMs: 0 }, { everyMs: 600_000 }])).toBe(660_000);
  });
});
