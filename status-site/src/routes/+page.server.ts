import { frameOf } from '#lib/server/frame.ts';
import { overview } from '#lib/view.ts';
import type { PageServerLoad } from './$types';

export const load: PageServerLoad = ({ platform }) => overview(frameOf(platform));
