import { freshness } from '#lib/frame.ts';
import { frameOf } from '#lib/server/frame.ts';
import type { LayoutServerLoad } from './$types';

export const load: LayoutServerLoad = ({ platform, url }) => {
  const frame = frameOf(platform);
  return {
    site: frame.snapshot?.site.name ?? 'Status',
    now: frame.now,
    freshness: freshness(frame),
    here: url.pathname,
    log: frame.log ?? null,
  };
};
