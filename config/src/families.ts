/** Address families of a check: which monitors it makes, and whether what it asks has an address of that family. */
import { isIP } from 'node:net';

/** As written in a check. */
export type FamilyChoice = 'any' | 4 | 6 | 'apart';
export type AddressFamily = 4 | 6;

export const maxCheckIdLength = 63;

/** The monitors of a check by their last part; `any` has no family. */
export function familiesOf(
  id: string,
  choice: FamilyChoice,
): readonly { readonly id: string; readonly family: AddressFamily | undefined }[] {
  if (choice === 'any') return [{ id, family: undefined }];
  if (choice !== 'apart') return [{ id, family: choice }];
  return ([4, 6] as const).map((family) => ({ id: `${id}.v${family}`, family }));
}

/** What of a target decides on its addresses. */
export interface Addressed {
  readonly url: string;
  readonly address?: string | undefined;
  readonly address6?: string | undefined;
}

/**
 * Why a target cannot be asked over this family, with what to write instead; undefined when it can, as far as is known
 * without asking DNS.
 */
export function familyTrouble(target: Addressed, family: AddressFamily): string | undefined {
  const { address, address6 } = target;
  const [own, other, key] = family === 4 ? [address, address6, 'address'] : [address6, address, 'address6'];
  if (own !== undefined) return undefined;
  if (other !== undefined) {
    const has = family === 4 ? 'address6' : 'address';
    return `has ${has} but no ${key}, write ${key} too or leave family out`;
  }
  const written = isIP(new URL(target.url).hostname.replace(/^\[|\]$/g, ''));
  return written === 0 || written === family
    ? undefined
    : `has an IPv${written} address as its URL, write a name or leave family out`;
}
