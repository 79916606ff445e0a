/** For tests alone: the built site on a free port, in front of a collector that says what a test wants. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pino from 'pino';
import type { PublicSnapshot } from '@highwater/config/public.ts';
import { stubCollector, type StubCollector } from '../../test/fixtures/stub-collector.ts';
import { ensureBuilt } from '../server/build.ts';
import { startSite } from '../server/serve.ts';

export interface SiteUnderTest extends AsyncDisposable {
  readonly url: string;
  readonly collector: StubCollector;
  readonly stopped: Promise<void>;
  /** Resolves when the page was made from what the collector has now. */
  show(snapshot: PublicSnapshot): Promise<void>;
  stop(): void;
}

/** Builds when needed, starts, and waits for the first snapshot if there is one. */
export async function siteUnderTest(snapshot?: PublicSnapshot): Promise<SiteUnderTest> {
  const log = pino({ level: 'silent' });
  await ensureBuilt(log);
  const dataDir = await mkdtemp(join(tmpdir(), 'site-'));
  const collector = await stubCollector();
  const stop = new AbortController();
  const options = { collectorUrl: collector.url, dataDir, host: '127.0.0.1', port: 0, log, everyMs: 10 };
  const running = await startSite(options, stop.signal);
  const site: SiteUnderTest = {
    url: running.url,
    collector,
    stopped: running.stopped,
    async show(snapshot) {
      collector.body = snapshot;
      const until = Date.now() + 10_000;
      while (Date.now() < until) {
        const said = (await (await fetch(`${running.url}/api/services.json`)).json()) as {
          generatedAt: number;
        };
        if (said.generatedAt === snapshot.generatedAt) return;
      }
      throw new Error('the site never showed the snapshot');
    },
    stop: () => stop.abort(),
    async [Symbol.asyncDispose]() {
      stop.abort();
      await running.stopped;
      await collector.kill();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
  if (snapshot) await site.show(snapshot);
  return site;
}
