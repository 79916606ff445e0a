/** What must fit together among the witnesses: their keys, and a quorum that they can reach. */
import { createHash } from 'node:crypto';
import { checkUnique } from './crosscheck-common.ts';
import type { Declared } from './declared.ts';
import { wrong } from './decode.ts';
import type { Finding } from './problems.ts';
import { decodeBase64, encodeHex } from './proof/bytes.ts';
import { keyIdOf } from './proof/note.ts';

/** Signature types of C2SP signed-note and tlog-cosignature. */
const [ED25519, COSIGNATURE, ML_DSA] = [0x01, 0x04, 0x06] as const;

const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest();

export function checkWitnesses({ witnesses }: Declared, findings: Finding[]): void {
  if (!witnesses) return;
  const { path, value, list } = witnesses;
  checkUnique(list, 'witness', findings);
  const quorum = value?.quorum ?? 0;
  if (quorum > list.length) {
    findings.push(
      wrong([...path, 'quorum'], quorum, `more than the ${list.length} there are, write 1 to ${list.length}`),
    );
  }
  const keys = new Set<string>();
  for (const { path, value } of list) {
    if (!value) continue;
    if (value.id === 'none') {
      findings.push(wrong([...path, 'id'], value.id, 'reserved by the policy file, give it another'));
    }
    const key = publicKeyOf(value.key);
    const at = [...path, 'key'];
    if ('error' in key) findings.push(wrong(at, value.key, key.error));
    // One key under two names would count twice towards the quorum (C2SP tlog-policy forbids it).
    else if (keys.has(key.publicKey)) {
      findings.push(wrong(at, value.key, 'the key of a witness above, write each witness once'));
    } else keys.add(key.publicKey);
  }
}

/** The hex of the public key of an Ed25519 cosigner. */
function publicKeyOf(vkey: string): { publicKey: string } | { error: string } {
  const [name = '', keyId = ''] = vkey.split('+', 2);
  const bytes = decodeBase64(vkey.slice(name.length + keyId.length + 2));
  const publicKey = bytes?.subarray(1);
  if (!bytes || !publicKey || keyIdOf(name, bytes[0] ?? 0, publicKey, sha256) !== keyId) {
    return {
      error: "its parts do not belong together, copy the whole line that the witness's operator publishes",
    };
  }
  if (bytes[0] === ED25519) {
    return { error: 'the key of a log or a probe (type 01), write the one for cosignatures (type 04)' };
  }
  if (bytes[0] === ML_DSA) {
    return { error: 'an ML-DSA key (type 06), not in this version, write the one for Ed25519 (type 04)' };
  }
  if (bytes[0] !== COSIGNATURE || publicKey.length !== 32) {
    return { error: 'not a key for Ed25519 cosignatures (type 04, 32 bytes), write that one' };
  }
  return { publicKey: encodeHex(publicKey) };
}
