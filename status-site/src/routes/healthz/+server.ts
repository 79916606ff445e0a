import { json } from '@sveltejs/kit';
import { freshness, type Frame } from '#lib/frame.ts';
import { frameOf } from '#lib/server/frame.ts';
import type { RequestHandler } from './$types';

/** This site lives if it answers; how old its data is stands beside that and changes no code. */
export const GET: RequestHandler = ({ platform }) => {
  const frame = frameOf(platform);
  const fresh = freshness(frame);
  return json(
    {
      status: 'ok',
      data: fresh.kind,
      ageMs: 'ageMs' in fresh ? fresh.ageMs : null,
      collectorLostAt: frame.lostAt ?? null,
      log: logOf(frame),
    },
    { headers: { 'cache-control': 'no-store' } },
  );
};

/** The copy of the log; `refused` while the collector shows one that contradicts it. */
function logOf({ log }: Frame): object | null {
  if (!log) return null;
  const { origin, size, checkedAt, refused } = log;
  return { origin, size, checkedAt, refused: refused ?? null };
}
