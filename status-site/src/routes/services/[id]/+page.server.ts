import { error } from '@sveltejs/kit';
import { serviceDetail } from '#lib/detail.ts';
import { reportsOfService } from '#lib/report/list.ts';
import { selectionOf } from '#lib/selection.ts';
import { frameOf } from '#lib/server/frame.ts';
import type { PageServerLoad } from './$types';

export const load: PageServerLoad = ({ platform, params, url }) => {
  const frame = frameOf(platform);
  const service = serviceDetail(params.id, frame, selectionOf(url.searchParams));
  if (!service) error(404, 'There is no such service, or it has no such node, method or region.');
  return { service, reports: reportsOfService(params.id, frame) };
};
