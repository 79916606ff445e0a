import { json } from '@sveltejs/kit';
import { freshness } from '#lib/frame.ts';
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
    },
    { headers: { 'cache-control': 'no-store' } },
  );
};
