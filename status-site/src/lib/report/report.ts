/** A whole report as its page takes it. Pure. */
import { placedText } from '@highwater/config/report/places.ts';
import type { Report } from '@highwater/config/report/report.ts';
import { monthName } from '@highwater/config/report/words.ts';
import type { PublishedReport } from '@highwater/config/wire-reports.ts';
import { formatCount } from '../format.ts';
import {
  actionsTable,
  annotationsTable,
  configsOf,
  incidentsOf,
  keysTable,
  laterTable,
  maintenanceTable,
  missingTable,
  probesTable,
} from './around.ts';
import { timeText } from './figures.ts';
import { beforeTable, minutesTable, servicesOf, summaryText, uptimeTable } from './overview.ts';
import { serviceReport } from './service.ts';
import { downloadsOf } from './list.ts';
import { trustOf } from './trust.ts';

export type ReportView = ReturnType<typeof reportView>;

/** @param published as it is listed; undefined where the list has it no more. */
export function reportView(report: Report, published: PublishedReport | undefined) {
  const services = servicesOf(report);
  const { told, supersedes } = report;
  const firstAt = Date.parse(`${report.month}-01T00:00:00Z`);
  return {
    month: report.month,
    title: monthName(report.month),
    site: told.site,
    operator: told.operator,
    revision: report.revision,
    madeAt: timeText(told.madeAt),
    supersedes: supersedes && {
      revision: supersedes.revision,
      differences: supersedes.differences.map(placedText),
      more: supersedes.more > 0 ? `and ${formatCount(supersedes.more)} more` : '',
    },
    summary: summaryText(report, services),
    uptime: uptimeTable(services, report.minutes),
    minutes: minutesTable(services),
    before: beforeTable(report, services),
    services: services.map((service) => serviceReport(service, firstAt, report.minutes)),
    incidents: incidentsOf(report),
    maintenance: maintenanceTable(report),
    configs: configsOf(report),
    changes: [keysTable(report), actionsTable(report), annotationsTable(report)].filter(
      (table) => table !== undefined,
    ),
    probes: probesTable(report),
    missing: missingTable(report),
    later: laterTable(report),
    trust: trustOf(report),
    downloads: downloadsOf(report.month, published),
  };
}
