/** Whom a bundle is checked against: keys and policy, by the reader's word where there is one. */
import { type VerifierKey, parseVerifierKey } from '../proof/note.ts';
import { type Policy, parsePolicy } from '../proof/policy.ts';
import { bundledPolicy } from './bundled.ts';
import { names } from './files.ts';
import { parseKeys } from './keys.ts';
import { ANOTHER_KEY } from './problems.ts';
import type { Range } from './range.ts';
import type { Reading } from './reading.ts';

export interface Trusted {
  readonly operator: VerifierKey;
  readonly operatorVkey: string;
  /** By year. */
  readonly logs: ReadonlyMap<number, VerifierKey>;
  readonly vkeys: ReadonlyMap<number, string>;
  readonly policy: Policy;
  /** The bundle's own, whoever is asked. */
  readonly ownPolicy: Policy;
  /** As they stand in the bundle. */
  readonly texts: { readonly keys: string; readonly policy: string };
}

export async function readTrust(reading: Reading, range: Range): Promise<Trusted> {
  const { problems, checker, options } = reading;
  const { hash } = checker;
  const keysText = await reading.needText(names.keys);
  const keys = parseKeys(keysText, range.origin, hash);
  if ('error' in keys) return problems.fatal('mismatch', names.keys, keys.error);
  const operatorVkey = options.operatorKey ?? keys.operator;
  const operator = parseVerifierKey(operatorVkey, hash);
  if ('error' in operator)
    return problems.fatal('incomplete', '--key', `the operator's key that was given: ${operator.error}`);
  if (keys.operator !== operatorVkey)
    return problems.fatal(
      'mismatch',
      names.keys,
      `${ANOTHER_KEY}: its operator's is ${keys.operator}, and you gave ${operatorVkey}`,
    );
  const vkeys = new Map(keys.logs.map(({ year, vkey }) => [year, vkey]));
  for (const { year } of range.trees) {
    if (!vkeys.has(year)) problems.fatal('incomplete', names.keys, `the key of the log ${year} is not in it`);
  }
  const logs = new Map<number, VerifierKey>();
  for (const [year, vkey] of vkeys) {
    const key = parseVerifierKey(vkey, hash);
    if (!('error' in key)) logs.set(year, key);
  }
  const policyText = await reading.needText(names.policy);
  const policies = readPolicies(reading, range, vkeys, policyText);
  return {
    operator,
    operatorVkey,
    logs,
    vkeys,
    ...policies,
    texts: { keys: keysText, policy: policyText },
  };
}

function readPolicies(
  reading: Reading,
  range: Range,
  vkeys: ReadonlyMap<number, string>,
  own: string,
): Pick<Trusted, 'policy' | 'ownPolicy'> {
  const { problems, checker, options } = reading;
  const bundled = parsePolicy(own, checker.hash);
  if ('error' in bundled) return problems.fatal('mismatch', names.policy, bundled.error);
  if (bundledPolicy(bundled) !== own)
    return problems.fatal(
      'mismatch',
      names.policy,
      'it is not in its one accepted spelling, without comments and addresses',
    );
  if (options.policy === undefined) return { policy: bundled, ownPolicy: bundled };
  const policy = parsePolicy(options.policy, checker.hash);
  if ('error' in policy)
    return problems.fatal('incomplete', '--policy', `the policy that was given: ${policy.error}`);
  const known = new Set(policy.logs.map(({ vkey }) => vkey));
  for (const year of new Set([...range.leaves, ...range.trees].map((of) => of.year))) {
    if (known.size === 0 || known.has(vkeys.get(year) ?? '')) continue;
    problems.incomplete(names.keys, `the policy that was given does not know the key of the log ${year}`);
  }
  return { policy, ownPolicy: bundled };
}
