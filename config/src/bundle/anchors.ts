/** Checkpoints that a reader knows from elsewhere, `ORIGIN/YEAR SIZE ROOT`: whoever put them there could not change them later. */
import { type Checkpoint, parseCheckpointText } from '../proof/checkpoint.ts';

export interface Anchor extends Checkpoint {
  /** As it was given. */
  readonly text: string;
}

/** A line as report/anchor.ts writes it, its first word left out or not, white space as it comes. Never throws. */
export function parseAnchor(text: string): Anchor | { error: string } {
  const all = text.trim().split(/\s+/);
  const words = all[0] === 'highwater' ? all.slice(1) : all;
  if (words.length !== 3) return { error: 'it is not: ORIGIN/YEAR SIZE ROOT' };
  const checkpoint = parseCheckpointText(`${words.join('\n')}\n`);
  return 'error' in checkpoint ? checkpoint : { ...checkpoint, text: words.join(' ') };
}
