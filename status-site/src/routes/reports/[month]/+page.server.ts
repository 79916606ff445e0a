import { error } from '@sveltejs/kit';
import { newestReports } from '#lib/report/list.ts';
import { reportView } from '#lib/report/report.ts';
import { frameOf } from '#lib/server/frame.ts';
import type { PageServerLoad } from './$types';

export const load: PageServerLoad = async ({ platform, params }) => {
  const { reports } = frameOf(platform);
  const report = await reports?.read(params.month);
  const published = newestReports(reports?.list).find(({ month }) => month === params.month);
  if (report) return { report: reportView(report, published) };
  if (published)
    error(
      503,
      'The report was published, and this page has not copied it yet. Please try again in a minute.',
    );
  error(404, 'There is no report of this month.');
};
