/** Maintenance for calendars (RFC 5545): an event keeps its UID, so that one that is cancelled goes from them. */
import ical, { ICalCalendarMethod, ICalEventStatus } from 'ical-generator';
import { xmlSafe } from './escape.ts';
import { siteUrl, type Frame } from './frame.ts';
import { maintenanceUrl, maintenanceView } from './maintenance.ts';

/** How often calendars should ask again, s. */
const REFRESH_S = 3_600;

export function calendar(frame: Frame): string {
  const url = siteUrl(frame);
  const host = URL.canParse(url) ? new URL(url).host : 'localhost';
  const made = ical({
    name: `${xmlSafe(frame.snapshot?.site.name ?? 'Status')}: maintenance`,
    prodId: { company: 'Highwater', product: 'Highwater', language: 'EN' },
    method: ICalCalendarMethod.PUBLISH,
    ttl: REFRESH_S,
  });
  for (const one of frame.snapshot?.maintenance ?? []) {
    const { covers, body } = maintenanceView(one, frame);
    const of = covers.map(({ text }) => text).join(', ');
    made.createEvent({
      id: `${one.id}@${host}`,
      stamp: new Date(one.declaredAt),
      created: new Date(one.declaredAt),
      lastModified: new Date(one.cancelledAt ?? one.declaredAt),
      sequence: one.cancelledAt === undefined ? 0 : 1,
      start: new Date(one.startsAt),
      end: new Date(one.endsAt),
      summary: xmlSafe(one.title),
      description: xmlSafe(
        [...(body === '' ? [] : [body]), ...(of === '' ? [] : [`Covers ${of}.`])].join('\n\n'),
      ),
      ...(URL.canParse(url) ? { url: maintenanceUrl(one.id, frame) } : {}),
      status: one.state === 'cancelled' ? ICalEventStatus.CANCELLED : ICalEventStatus.CONFIRMED,
    });
  }
  return made.toString();
}
