import { maintenanceGroups } from '#lib/maintenance.ts';
import { frameOf } from '#lib/server/frame.ts';
import type { PageServerLoad } from './$types';

export const load: PageServerLoad = ({ platform }) => {
  const frame = frameOf(platform);
  return { ...maintenanceGroups(frame), known: frame.snapshot !== undefined };
};
