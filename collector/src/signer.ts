import { parseNote } from '@highwater/config/proof/note.ts';

/**
 * Whose signature a note of the store bears, `NAME+KEYID`: what one key says twice, another one does not contradict.
 * The empty string for no note.
 */
export function signerOf(note: string): string {
  const parsed = parseNote(note);
  const signature = 'error' in parsed ? undefined : parsed.signatures[0];
  return signature === undefined ? '' : `${signature.name}+${signature.keyId}`;
}

/** The same of a verifier key, `NAME+KEYID+BASE64`. */
export function signerOfKey(vkey: string): string {
  return vkey.split('+').slice(0, 2).join('+');
}
