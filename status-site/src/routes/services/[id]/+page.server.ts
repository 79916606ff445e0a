import { error } from '@sveltejs/kit';
import { serviceDetail } from '#lib/detail.ts';
import { frameOf } from '#lib/server/frame.ts';
import type { PageServerLoad } from './$types';

export const load: PageServerLoad = ({ platform, params }) => {
  const service = serviceDetail(params.id, frameOf(platform));
  if (!service) error(404, 'No service has this name.');
  return { service };
};
