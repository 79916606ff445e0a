/** Writes into a spool as fast as it can and says what it did; its test kills it at any moment. */
import { createHash } from 'node:crypto';
import { writeSync } from 'node:fs';
import { signingKeyFromSeed } from '@highwater/config/keys.ts';
import { ZERO_HASH } from '@highwater/config/proof/leaf-hash.ts';
import { minuteOf } from '@highwater/config/time.ts';
import { noTip, spoolBatches, spoolFrame } from '../src/sign.ts';
import { Spool } from '../src/spool.ts';

const [dir = ''] = process.argv.slice(2);
const key = signingKeyFromSeed('eu-1', new Uint8Array(32).fill(7));
const identity = { key, origin: 'status.example.com/log' };
const spool = new Spool({ dir, maxBytes: 50_000_000, now: 1_800_000_000_000 });
const say = (text: string) => writeSync(1, `${text}\n`);
const short = (text: string) => createHash('sha256').update(text).digest('hex').slice(0, 12);

for (;;) {
  for (let n = 0; n < 5; n += 1) {
    const { seq } = spool.next;
    spool.add(`rpc/n${seq}/http ${Date.now()} ok 12 -`);
    say(`line ${seq}`);
  }
  spoolFrame(spool, identity);
  const closing = { through: spool.next.seq - 1, minute: minuteOf(Date.now()), config: ZERO_HASH };
  if (Math.random() < 0.5)
    spoolBatches(spool, identity, closing, {
      clock: { boundMs: Math.floor(Math.random() * 100), ageS: 0 },
      tip: noTip,
    });
  await spool.sync();
  for (const frame of spool.frames.slice(-3)) {
    say(`sent frame-${frame.epoch}-${frame.frame} ${short(spool.frameOf(frame).note)}`);
  }
  for (const batch of spool.batches.slice(-3)) {
    say(`sent batch-${batch.epoch}-${batch.number} ${short(spool.noteOf(batch))}`);
    if (Math.random() < 0.5) spool.acknowledgeBatch(batch);
  }
}
