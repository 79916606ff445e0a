/** The section `witnesses` of the config file: who cosigns the log. */
import { z } from 'zod';
import { durationBetween, httpUrl, id, key, witnessKey, wholeBetween } from './fields.ts';
import { limits } from './limits.ts';
import { DAY_MS } from './time.ts';

export const witnessSchema = z.strictObject({
  id: key(id, 'What the policy file and `log status` call it; `none` is reserved.', 'community-1'),
  url: key(
    httpUrl.refine(
      (text) => !text.includes('?'),
      'a URL with a query (?…), write the prefix to which /add-checkpoint is added',
    ),
    'Its submission prefix (C2SP tlog-witness), used as written: `/add-checkpoint` is added to it.',
    'https://witness.example.net',
  ),
  key: key(
    witnessKey,
    'Its verifier key for Ed25519 cosignatures, as its operator publishes it.',
    'witness.example.net/w1+1234abcd+BX…',
  ),
  every: key(
    durationBetween(0, DAY_MS).default(0),
    'It is asked at most so often; a public witness may want 10m. For each checkpoint when left out.',
    '10m',
  ),
});

export const witnessesSchema = z.strictObject({
  quorum: key(
    wholeBetween(1, limits.witnesses).optional(),
    'How many of them must have cosigned a checkpoint for readers to believe it; more than half when left out.',
    2,
  ),
  list: key(
    z.array(z.unknown()).min(1, 'an empty list, write a witness or leave `witnesses` out'),
    'The witnesses.',
    '- { id: community-1, … }',
  ),
});
