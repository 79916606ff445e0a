/** Where messages come from, out of the config. Pure. */
import type { Config } from '@highwater/config/model.ts';
import type { Place } from './render.ts';

/** `host` is what stands after the @ of a Message-ID. */
export function placeOf(config: Pick<Config, 'site' | 'services'>): Place & { readonly host: string } {
  const siteUrl = config.site.url.replace(/\/+$/, '');
  return {
    siteName: config.site.name,
    siteUrl,
    host: new URL(siteUrl).hostname.replace(/[^A-Za-z0-9.-]/g, '') || 'localhost',
    services: Object.fromEntries(config.services.map(({ id, name }) => [id, name])),
  };
}
