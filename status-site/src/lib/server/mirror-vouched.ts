/**
 * Who cosigned a checkpoint, by the policy. Signatures of keys that the policy does not have count for nothing, and a
 * name is nobody's: the key has to fit. The last answer is kept, since each page asks.
 */
import { parseWitnessVerifier, sha256 } from '@highwater/config/keys.ts';
import { decodeUtf8 } from '@highwater/config/proof/bytes.ts';
import { parseNote } from '@highwater/config/proof/note.ts';
import { parsePolicy, policyMet } from '@highwater/config/proof/policy.ts';
import type { Vouched } from '../frame.ts';

export function openVouched(): (note: string, policy: Uint8Array | undefined) => Vouched | undefined {
  let last: { note: string; policy: Uint8Array | undefined; vouched: Vouched | undefined } | undefined;
  return (note, policy) => {
    if (last === undefined || last.note !== note || last.policy !== policy)
      last = { note, policy, vouched: vouchedFor(note, policy) };
    return last.vouched;
  };
}

/**
 * @param note a checkpoint that the log's key has signed
 * @param policy as it was published; undefined, or one that can't be read, vouches for nothing
 */
export function vouchedFor(note: string, policy: Uint8Array | undefined): Vouched | undefined {
  const text = policy === undefined ? undefined : decodeUtf8(policy);
  const read = text === undefined ? undefined : parsePolicy(text, sha256);
  const parsed = parseNote(note);
  if (read === undefined || 'error' in read || 'error' in parsed) return undefined;
  const by = read.witnesses.flatMap(({ name, vkey }) => {
    const verifier = parseWitnessVerifier(vkey);
    const isGood = parsed.signatures.some(
      (each) =>
        each.name === verifier.name &&
        each.keyId === verifier.keyId &&
        verifier.verify(parsed.text, each.bytes) !== undefined,
    );
    return isGood ? [name] : [];
  });
  return { by, of: read.witnesses.length, met: policyMet(read, by) };
}
