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
    // A report says nothing about now, so it has no age.
    isDocument: /^\/reports\/[0-9]{4}-[0-9]{2}$/.test(url.pathname),
    log: frame.log ?? null,
  };
};
