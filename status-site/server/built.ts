/** The built page: what renders addresses, and what serves assets. */
import { readdir } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Logger } from 'pino';
import type { Frame } from '../src/lib/frame.ts';
import { buildDir } from './build.ts';
import { scriptPolicy } from './script-policy.ts';
import type { Render } from './pages.ts';

type Next = () => void;
export interface Built {
  readonly render: Render;
  readonly serveAsset: (req: IncomingMessage, res: ServerResponse, next: Next) => void;
  readonly assets: ReadonlySet<string>;
}

interface KitServer {
  respond(
    request: Request,
    options: {
      platform: { frame: Frame; failed(path: string, error: unknown): void };
      getClientAddress(): string;
    },
  ): Promise<Response>;
}

/** Loads what ensureBuilt has built, once a process. Throws where there is no build. */
export async function loadBuilt(log: Logger): Promise<Built> {
  // Without it Kit takes plain http for https; it is read when the handler is loaded.
  process.env['PROTOCOL_HEADER'] ??= 'x-forwarded-proto';
  const file = (name: string) => pathToFileURL(join(buildDir, name)).href;
  const { handler } = (await import(file('handler.js'))) as { handler: Built['serveAsset'] };
  const { server } = (await import(file('adapter-node.js'))) as { server: KitServer };
  await loadAll(join(buildDir, 'server'), log);
  const client = join(buildDir, 'client');
  const entries = await readdir(client, { recursive: true, withFileTypes: true });
  const assets = entries
    .filter((entry) => entry.isFile() && !/\.(gz|br)$/.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name).slice(client.length).replaceAll('\\', '/'));
  log.debug({ event: 'site.loaded', assets: assets.length }, 'built page loaded');
  const failed = (path: string, error: unknown) =>
    log.error({ event: 'page.failed', path, err: error }, 'page could not be rendered');
  return {
    serveAsset(req, res, next) {
      if (req.url?.split('?', 1)[0]?.endsWith('.js')) res.setHeader('content-security-policy', scriptPolicy);
      handler(req, res, next);
    },
    assets: new Set(assets),
    // The origin never shows: addresses in pages are relative to the root, or made from the site's own URL.
    render: (address, frame) =>
      server.respond(new Request(`http://site.invalid${address}`), {
        platform: { frame, failed },
        getClientAddress: () => '0.0.0.0',
      }),
  };
}

/**
 * Loads every route now, not on its first visit: that visit would be slow, and a new build under a running
 * site would take away what is not loaded yet.
 */
async function loadAll(server: string, log: Logger): Promise<void> {
  for (const folder of ['nodes', 'entries']) {
    const files = await readdir(join(server, folder), { recursive: true }).catch(() => []);
    for (const file of files.filter((name) => name.endsWith('.js')))
      await import(pathToFileURL(join(server, folder, file)).href).catch((error: unknown) => {
        log.warn({ event: 'site.unloaded', file, error: String(error) }, 'a route could not be loaded');
      });
  }
}
