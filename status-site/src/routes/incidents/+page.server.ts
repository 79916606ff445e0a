import { frameOf } from '#lib/server/frame.ts';
import { months } from '#lib/view.ts';
import type { PageServerLoad } from './$types';

export const load: PageServerLoad = ({ platform }) => {
  const frame = frameOf(platform);
  return { months: months(frame), known: frame.snapshot !== undefined };
};
