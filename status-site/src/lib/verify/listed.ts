/** The reports of this site, as far as the form needs them: read from /reports.json, field by field. Pure. */

export interface ListedReport {
  readonly month: string;
  readonly revision: number;
  readonly bytes: number;
  readonly services: readonly { readonly id: string; readonly name: string }[];
}

/** The newest revision of each month, newest first; what is not as it should be is left out. */
export function listedReports(answer: unknown): ListedReport[] {
  const found = new Map<string, ListedReport>();
  for (const one of listOf(fieldOf(answer, 'reports'))) {
    const [month, revision, bytes] = ['month', 'revision', 'bytes'].map((name) => fieldOf(one, name));
    if (typeof month !== 'string' || !/^[0-9]{4}-[0-9]{2}$/.test(month)) continue;
    if (typeof revision !== 'number' || typeof bytes !== 'number') continue;
    const services = listOf(fieldOf(one, 'services')).flatMap((service) => {
      const [id, name] = [fieldOf(service, 'id'), fieldOf(service, 'name')];
      return typeof id === 'string' ? [{ id, name: typeof name === 'string' ? name : id }] : [];
    });
    if ((found.get(month)?.revision ?? 0) < revision) found.set(month, { month, revision, bytes, services });
  }
  return [...found.values()].sort((a, b) => (a.month < b.month ? 1 : -1));
}

function fieldOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, name)
    ? (value as Record<string, unknown>)[name]
    : undefined;
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}
