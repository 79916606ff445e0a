/** What a reader is told of the log, in a real browser without JavaScript: its age, and who vouches for it. */
import { mkdtemp, rm, utimes } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { witnessSigningKey } from '@highwater/config/keys.ts';
import { noWitnesses } from '@highwater/config/no-witnesses.ts';
import { formatNote, parseNote } from '@highwater/config/proof/note.ts';
import { formatPolicy } from '@highwater/config/proof/policy.ts';
import pino from 'pino';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { installed, launch, violationsOf } from '../../test/fixtures/chromium.ts';
import { logServer, makeLog, type LogServer } from '../../test/fixtures/log-server.ts';
import { underMaintenance } from '../../test/fixtures/snapshots.ts';
import { ensureBuilt } from '../server/build.ts';
import { startSite } from '../server/serve.ts';

vi.setConfig({ testTimeout: 60_000 });

const silent = pino({ level: 'silent' });
const witness = witnessSigningKey('w1.example', new Uint8Array(32).fill(7));
const log = makeLog();
log.grow(29);

/** The newest checkpoint with the witness's line. */
function cosigned(): string {
  const parsed = parseNote(log.checkpoint());
  if ('error' in parsed) throw new Error(parsed.error);
  const line = witness.cosign(parsed.text, 1_795_000_000);
  return formatNote({ text: parsed.text, signatures: [...parsed.signatures, line] });
}

const policyOf = (isWitnessed: boolean): string =>
  formatPolicy({
    logs: [{ vkey: log.key.vkey }],
    witnesses: isWitnessed ? [{ name: 'community-1', vkey: witness.vkey }] : [],
    groups: [],
    quorum: isWitnessed ? 'community-1' : 'none',
  });

describe.runIf(installed)('the log in chromium', () => {
  let browser: Browser;
  let collector: LogServer;
  let dataDir: string;
  beforeAll(async () => {
    await ensureBuilt(silent);
    browser = await launch();
    collector = await logServer([2026, log]);
    const snapshot = Buffer.from(JSON.stringify(underMaintenance(Date.now())));
    collector.err = (path, res) => path === '/v1/snapshot' && Boolean(res.writeHead(200).end(snapshot));
    dataDir = await mkdtemp(join(tmpdir(), 'site-log-browser-'));
  }, 120_000);
  afterAll(async () => {
    await browser.close();
    await collector.kill();
    await rm(dataDir, { recursive: true, force: true });
  });

  /** The main part and the footer of /log once the footer has the words; both schemes are looked through. */
  async function read(words: string): Promise<{ main: string; footer: string }> {
    const stop = new AbortController();
    const options = { collectorUrl: collector.url, dataDir, host: '127.0.0.1', port: 0, log: silent };
    const site = await startSite({ ...options, everyMs: 10, mirrorEveryMs: 10 }, stop.signal);
    try {
      await vi.waitFor(async () => expect(await (await fetch(`${site.url}/log`)).text()).toContain(words), {
        timeout: 20_000,
        interval: 100,
      });
      for (const colorScheme of ['light', 'dark'] as const) {
        await using context = await browser.newContext({ colorScheme });
        const page = await context.newPage();
        await page.goto(`${site.url}/log`);
        expect({ colorScheme, violations: await violationsOf(page, colorScheme) }).toEqual({
          colorScheme,
          violations: [],
        });
      }
      await using context = await browser.newContext({ javaScriptEnabled: false });
      const page = await context.newPage();
      await page.goto(`${site.url}/log`);
      // Spaces that do not break are spaces.
      const said = async (part: string) => (await page.locator(part).innerText()).replace(/\s+/g, ' ');
      return { main: await said('main'), footer: await said('footer') };
    } finally {
      stop.abort();
      await site.stopped;
    }
  }

  test('without witnesses it says what that means', async () => {
    collector.policy = policyOf(false);
    const { main, footer } = await read(noWitnesses);
    expect(main).toContain(noWitnesses);
    expect(footer).toMatch(
      /29 entries, the newest seen .* UTC\. No witness cosigns this log: only its operator/,
    );
    expect(main + footer).not.toContain('No new entry');
  });

  test('with one it names it, by its cosignature', async () => {
    collector.policy = policyOf(true);
    collector.checkpoints.set(2026, cosigned());
    const words = 'Cosigned by community-1 (1 of 1 witness).';
    const { main, footer } = await read(words);
    expect(main).toContain(words);
    expect(footer).toContain(words);
  });

  test('when nothing was entered for over ten minutes it says since when', async () => {
    const seen = Date.now() - 25 * 60_000;
    await utimes(join(dataDir, 'site', 'log', '2026', 'checkpoint'), seen / 1_000, seen / 1_000);
    const { main, footer } = await read('No new entry since');
    expect(main).toMatch(/No new entry since .* UTC \(25 min ago\)/);
    expect(footer).toMatch(/29 entries, no new entry since .* UTC \(25 min\)/);
  });
});
