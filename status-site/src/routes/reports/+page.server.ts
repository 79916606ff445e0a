import { reportsView } from '#lib/report/list.ts';
import { frameOf } from '#lib/server/frame.ts';
import type { PageServerLoad } from './$types';

export const load: PageServerLoad = ({ platform }) => ({ reports: reportsView(frameOf(platform)) });
