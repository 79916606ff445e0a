/** The schema of `alerts`: where messages go, and who is told of what. */
import { z } from 'zod';
import { durationBetween, id, key, line } from './fields.ts';
import { limits } from './limits.ts';
import { DAY_MS, MINUTE_MS } from './time.ts';

/** A channel's own settings stand beside these two in the same entry. */
export const channelSchema = z.strictObject({
  id: key(id, 'The channel, as policies refer to it.', 'ops'),
  kind: key(line(40), 'The kind of channel.', 'discord'),
});

const impact = z.enum(['none', 'minor', 'major', 'critical'], {
  error: (issue) =>
    issue.input === undefined ? undefined : 'not an impact, write none, minor, major or critical',
});
export const policySchema = z.strictObject({
  match: key(
    z
      .strictObject({
        impact: key(z.array(impact).min(1).max(4).optional(), 'The impacts it is for; all when left out.', [
          'major',
        ]),
        services: key(
          z.array(id).min(1).max(limits.services).optional(),
          'The services; all when left out.',
          ['rpc'],
        ),
      })
      .prefault({}),
    'Which incidents it is for.',
  ),
  steps: key(
    z
      .array(
        z.strictObject({
          after: key(
            durationBetween(0, 7 * DAY_MS).default(0),
            'How long after the start; at once when left out.',
            '5m',
          ),
          notify: key(z.array(id).min(1).max(limits.channels), 'Channel ids.', ['ops']),
        }),
      )
      .min(1, 'an empty list, write a step such as { notify: [ops] }')
      .max(limits.steps),
    'Whom to tell, in order; a later step runs unless the alert is acknowledged or over.',
    [{ notify: ['ops'] }],
  ),
  repeat: key(
    durationBetween(MINUTE_MS, 30 * DAY_MS).optional(),
    'Tells the last step again while it lasts and nobody acknowledged; never when left out.',
    '1h',
  ),
});

export const alertsSchema = z.strictObject({
  channels: key(z.array(z.unknown()).default([]), 'Where messages go.'),
  policies: key(
    z.array(z.unknown()).default([]),
    'Who is told of what, and when. Without one nobody is told.',
  ),
});
