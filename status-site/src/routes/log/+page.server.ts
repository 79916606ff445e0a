import { frameOf } from '#lib/server/frame.ts';
import type { PageServerLoad } from './$types';

export const load: PageServerLoad = ({ platform }) => ({ log: frameOf(platform).log ?? null });
