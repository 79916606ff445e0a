/** Which reports this site has, asked once. */
import { listedReports, type ListedReport } from './listed.ts';

const DEADLINE_MS = 20_000;

/** Rejects when the list can't be had. */
export async function fetchReports(): Promise<readonly ListedReport[]> {
  const answer = await fetch('/reports.json', {
    signal: AbortSignal.timeout(DEADLINE_MS),
    credentials: 'omit',
  });
  if (answer.status === 404) return [];
  if (!answer.ok) throw new Error(`the list of reports: the site answered ${answer.status}`);
  return listedReports(await answer.json());
}
