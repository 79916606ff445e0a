/** Plays a probe: signs frames and batches with a real key, by the same functions that probes use. */
import { sha256, type SigningKey } from '@highwater/config/keys.ts';
import { type Batch, bodiesOf, bodyRefs, formatBatchText, minutesOf } from '@highwater/config/proof/batch.ts';
import type { Salts } from '@highwater/config/proof/body-hash.ts';
import { encodeBase64 } from '@highwater/config/proof/bytes.ts';
import { formatFrameText } from '@highwater/config/proof/frame.ts';
import { emptyRoot, leafHashOfNote, ZERO_HASH } from '@highwater/config/proof/leaf-hash.ts';

export interface SignedBatch {
  readonly note: string;
  readonly batch: Batch;
  readonly bodies: ReadonlyMap<string, string>;
}

export interface Player {
  readonly id: string;
  /** The next frame, with these lines; they wait for a batch too. */
  frame(lines: readonly string[]): string;
  /** The next batch over the lines that wait; `only` says which. */
  batch(options: {
    config: string;
    minute: number;
    only?: (line: string) => boolean;
    boundMs?: number;
    salts?: Salts;
  }): SignedBatch;
  /** Another text under the number of a batch that was made already. */
  contradict(batch: SignedBatch): string;
  sign(text: string): string;
}

const root = encodeBase64(emptyRoot(sha256));

export function player(origin: string, key: SigningKey, epoch = 0): Player {
  const probe = key.name;
  let [frame, number, prev] = [0, 0, ZERO_HASH];
  let waiting: string[] = [];
  return {
    id: probe,
    sign: (text) => key.sign(text),
    frame(lines) {
      waiting.push(...lines);
      const text = formatFrameText({ origin, probe, epoch, frame, lines });
      frame += 1;
      return key.sign(text);
    },
    batch({ config, minute, only = () => true, boundMs = 5, salts }) {
      const lines = waiting.filter(only);
      waiting = waiting.filter((line) => !lines.includes(line));
      const bodies = bodiesOf(lines);
      const batch: Batch = {
        origin,
        probe,
        epoch,
        number,
        prev,
        minutes: minutesOf(lines) ?? { first: minute, last: minute },
        config,
        clock: { boundMs, ageS: 0 },
        tip: { size: 0, root },
        gaps: [],
        bodies: bodyRefs(bodies, sha256, salts),
      };
      const note = key.sign(formatBatchText(batch));
      number += 1;
      prev = leafHashOfNote(note, sha256);
      return { note, batch, bodies };
    },
    contradict({ batch }) {
      return key.sign(formatBatchText({ ...batch, clock: { boundMs: batch.clock.boundMs + 1, ageS: 0 } }));
    },
  };
}
