import { error } from '@sveltejs/kit';
import { frameOf } from '#lib/server/frame.ts';
import type { PageServerLoad } from './$types';

export const load: PageServerLoad = ({ platform }) => {
  const { log } = frameOf(platform);
  if (!log) error(404, 'This page holds no log yet: it copies it from the collector and has not found one.');
  return { log };
};
