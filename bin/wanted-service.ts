/** Which service a typed id belongs to: told by the configurations of the bundle, as soon as they are read. */
import { type BundleFiles, names } from '@highwater/config/bundle/files.ts';
import { decodeUtf8 } from '@highwater/config/proof/bytes.ts';
import { parseProjection } from '@highwater/config/proof/projection.ts';
import { nearest } from '@highwater/config/problems.ts';

/** Services that a refusal lists. */
const LISTED = 40;

/** Of `service`, `service/node` or `service/node/check`. */
export function serviceOf(id: string): string {
  return id.split('/')[0] ?? '';
}

/** The same files; before the first bodies or the report are read, `refuse` is called where no public service has such an id. */
export function watchingFor(id: string, files: BundleFiles, refuse: (says: string) => Error): BundleFiles {
  const services = new Set<string>();
  const known = new Set<string>();
  let isTold = false;
  const look = (bytes: Uint8Array | undefined): void => {
    const config = parseProjection(decodeUtf8(bytes ?? new Uint8Array()) ?? '');
    if ('error' in config) return;
    for (const { id: service, visibility, nodes } of config.services) {
      if (visibility !== 'public') continue;
      services.add(service);
      for (const node of nodes) known.add(`${service}/${node.id}`);
    }
    for (const monitor of config.monitors) if (services.has(serviceOf(monitor.id))) known.add(monitor.id);
  };
  return {
    async read(name, maxBytes) {
      if (!isTold && (name.startsWith('bodies/') || name === names.report)) {
        isTold = true;
        if (services.size > 0 && !services.has(id) && !known.has(id))
          throw refuse(unknownId(id, services, known));
      }
      const bytes = await files.read(name, maxBytes);
      if (name.startsWith('configs/')) look(bytes);
      return bytes;
    },
  };
}

function unknownId(id: string, services: ReadonlySet<string>, known: ReadonlySet<string>): string {
  const near = nearest(id, [...services, ...known]);
  const all = [...services].toSorted();
  const more = all.length > LISTED ? `, and ${all.length - LISTED} more` : '';
  const listed = `its services are ${all.slice(0, LISTED).join(', ')}${more}`;
  return `${id}: the report has no such service, node or monitor; ${near === undefined ? '' : `did you mean ${near}? `}${listed}`;
}
