/**
 * What whole answers are sent from: one buffer for all who ask for the same, counted until the last of them has taken it.
 * So who asks and takes nothing costs a connection and no more, and the bytes here are bounded whoever reads how slowly.
 */

/** What is counted for each on top of its bytes, for its key and place: there may be many that are small. */
export const OVERHEAD_BYTES = 512;

export interface Taken {
  readonly bytes: Uint8Array;
  /** To be called once, when nobody reads the bytes for this taker any more. */
  leave(): void;
}

export interface Shelf {
  /**
   * What is at `key`, made when it is not here; those who ask meanwhile wait for the same making. Undefined where there is
   * none, `full` where all room is taken by what is being read. Rejects as `make` does.
   *
   * @param make its bytes must never change, for the same key
   */
  take(key: string, make: () => Promise<Uint8Array | undefined>): Promise<Taken | 'full' | undefined>;
  /** All that is kept here, in use or not, with its overhead; never more than the bound. */
  heldBytes(): number;
}

interface Kept {
  readonly bytes: Uint8Array;
  users: number;
}

export function openShelf(maxBytes: number): Shelf {
  /** Longest unused first. */
  const kept = new Map<string, Kept>();
  const making = new Map<string, Promise<Uint8Array | undefined>>();
  let heldBytes = 0;

  const cost = ({ bytes }: Pick<Kept, 'bytes'>): number => bytes.byteLength + OVERHEAD_BYTES;

  function place(key: string, bytes: Uint8Array): Kept | undefined {
    const known = kept.get(key);
    if (known !== undefined) return known;
    const one: Kept = { bytes, users: 0 };
    for (const [other, { users, bytes: old }] of kept) {
      if (heldBytes + cost(one) <= maxBytes) break;
      if (users > 0) continue;
      kept.delete(other);
      heldBytes -= cost({ bytes: old });
    }
    if (heldBytes + cost(one) > maxBytes) return undefined;
    kept.set(key, one);
    heldBytes += cost(one);
    return one;
  }

  function use(key: string, one: Kept): Taken {
    one.users += 1;
    kept.delete(key);
    kept.set(key, one);
    let isTaken = true;
    return {
      bytes: one.bytes,
      leave() {
        if (isTaken) one.users -= 1;
        isTaken = false;
      },
    };
  }

  return {
    heldBytes: () => heldBytes,
    async take(key, make) {
      const here = kept.get(key);
      if (here !== undefined) return use(key, here);
      let made = making.get(key);
      if (made === undefined) {
        made = make().finally(() => making.delete(key));
        making.set(key, made);
      }
      const bytes = await made;
      if (bytes === undefined) return undefined;
      const one = place(key, bytes);
      return one === undefined ? 'full' : use(key, one);
    },
  };
}
