/** /verify in a real browser: a good bundle, a bad one, from this site and of the reader's own; what leaves the browser. */
import { existsSync, readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { build } from 'vite';
import { installed, launch, violationsOf } from '../../test/fixtures/chromium.ts';
import { archiveOf, reportBundle, type ReportBundle } from '../../test/fixtures/report-bundle.ts';
import { siteUnderTest, type SiteUnderTest } from '../../test/fixtures/site.ts';
import { underMaintenance } from '../../test/fixtures/snapshots.ts';

vi.setConfig({ testTimeout: 90_000 });

const MONTH = '2026-10';

/** One byte of an observation is another. */
function changedLine(bundle: ReportBundle): ReportBundle {
  const name = [...bundle.keys()].find((one) => one.startsWith('bodies/') && one.includes('/web/')) ?? '';
  const bytes = Uint8Array.from(bundle.get(name) ?? []);
  const at = bytes.indexOf('o'.charCodeAt(0), 200);
  bytes[at] = 'O'.charCodeAt(0);
  return new Map([...bundle, [name, bytes]]);
}

describe.runIf(installed)('/verify in chromium', () => {
  let browser: Browser;
  let site: SiteUnderTest;
  let good: ReportBundle;
  beforeAll(async () => {
    [browser, site, good] = await Promise.all([
      launch(),
      siteUnderTest(underMaintenance(Date.now())),
      reportBundle(),
    ]);
  }, 120_000);
  afterAll(async () => {
    await browser.close();
    await site[Symbol.asyncDispose]();
  });

  /** What the collector has: each file as one piece of gzip, as it sends it. */
  function publish(bundle: ReportBundle): void {
    const files = [...bundle].map(
      ([name, bytes]) =>
        [
          `/v1/reports/${MONTH}/bundle/${name}?revision=1`,
          { body: gzipSync(bytes), headers: { 'content-encoding': 'gzip' } },
        ] as const,
    );
    site.collector.reports = new Map(files);
  }

  async function open(context: BrowserContext): Promise<{ page: Page; refused: string[] }> {
    const page = await context.newPage();
    const refused: string[] = [];
    page.on('console', (message) => {
      if (/Content Security Policy/i.test(message.text())) refused.push(message.text());
    });
    page.on('pageerror', (error) => refused.push(String(error)));
    const listed = {
      month: MONTH,
      revision: 1,
      bytes: 1_500_000,
      services: [
        { id: 'rpc', name: 'RPC' },
        { id: 'web', name: 'Website' },
      ],
    };
    await context.route('**/reports.json', (route) => route.fulfill({ json: { reports: [listed] } }));
    await page.goto(`${site.url}/verify`);
    await page.getByLabel('Month').waitFor();
    return { page, refused };
  }

  const result = (page: Page) => page.getByRole('region', { name: 'Result' });

  test('a report of this site agrees: all of it, and one service with what decides it alone', async () => {
    publish(good);
    await using context = await browser.newContext();
    const { page, refused } = await open(context);
    await page.getByRole('button', { name: 'Check this report' }).click();
    await result(page).getByRole('heading', { name: 'The report agrees with its evidence' }).waitFor();
    const all = await result(page).innerText();
    expect(all).toContain('Every counted figure of the report of 2026-10');
    expect(all).toContain('1 of 3 probes is run by others');
    expect(all).toMatch(/web\s+99\.2700 %/);
    expect(await page.getByRole('status').first().innerText()).toContain('The report agrees');

    const asked: string[] = [];
    page.on('request', (request) => asked.push(new URL(request.url()).pathname));
    context.on('request', (request) => asked.push(new URL(request.url()).pathname));
    await page.getByRole('combobox', { name: 'Service' }).selectOption('web');
    await page.getByRole('button', { name: 'Check this report' }).click();
    await result(page).getByText('Every counted figure of web in the report of 2026-10').waitFor();
    expect(asked.some((path) => path.includes('/web/'))).toBe(true);
    expect(asked.filter((path) => path.includes('/rpc/'))).toEqual([]);
    expect(refused).toEqual([]);
  });

  test('a changed observation is found, with its file; nothing is said to be proven', async () => {
    publish(changedLine(good));
    await using context = await browser.newContext();
    const { page } = await open(context);
    await page.getByRole('button', { name: 'Check this report' }).click();
    await result(page)
      .getByRole('heading', { name: /does not agree/ })
      .waitFor();
    const said = await result(page).innerText();
    expect(said).toContain('bodies/2026-10-31/web/000');
    expect(said).not.toContain('What this proves');
  });

  test('a dropped bundle is checked without any request, with the keyboard and with a key of the reader', async () => {
    await using context = await browser.newContext();
    const { page, refused } = await open(context);
    const file = { name: 'report.tar.gz', mimeType: 'application/gzip', buffer: await archiveOf(good) };
    const check = page.getByRole('button', { name: 'Check this bundle' });
    expect(await check.isDisabled()).toBe(true);
    await page.getByLabel(/Drop a bundle here/).setInputFiles(file);
    await page.getByText('Keys, policy and anchors of your own').click();
    const key =
      Buffer.from(good.get('keys') ?? [])
        .toString('utf8')
        .split('\n')[0]
        ?.split(' ')[1] ?? '';
    await page.getByLabel(/Operator’s key/).fill(key);

    const requests: string[] = [];
    context.on('request', (request) => requests.push(request.url()));
    const before = site.collector.requests.length;
    await check.focus();
    await page.keyboard.press('Enter');
    await result(page).getByRole('heading', { name: 'The report agrees with its evidence' }).waitFor();
    // The checker's own script is all that was fetched.
    expect(requests.filter((url) => !/\/_app\/immutable\/workers\/worker-[^/]+\.js$/.test(url))).toEqual([]);
    expect(site.collector.requests.slice(before).filter(({ url }) => url?.includes('/reports/'))).toEqual([]);
    expect(await result(page).innerText()).toContain(`Operator's key: the one that you gave, ${key}`);
    expect(refused).toEqual([]);

    await page.getByLabel(/Operator’s key/).fill(key.replace('+', '+0'));
    await check.click();
    await result(page)
      .getByText(/Operator's key: not a verifier key/)
      .waitFor();
  });

  test('a file that drops onto the frame is taken, and what is no bundle is said to be none', async () => {
    await using context = await browser.newContext();
    const { page } = await open(context);
    await page.locator('.drop').evaluate((target) => {
      const dataTransfer = new DataTransfer();
      dataTransfer.items.add(new File(['this is no archive at all'], 'holiday.tar'));
      target.dispatchEvent(new DragEvent('drop', { dataTransfer, bubbles: true, cancelable: true }));
    });
    await page.getByText('holiday.tar').waitFor();
    await page.getByRole('button', { name: 'Check this bundle' }).click();
    await result(page)
      .getByRole('heading', { name: /can't be confirmed/ })
      .waitFor();
    expect(await result(page).innerText()).not.toMatch(/agrees with its evidence/);
  });

  test('a check can be stopped, and says nothing of the report then', async () => {
    publish(good);
    await using context = await browser.newContext();
    const { page } = await open(context);
    await context.route('**/bundle/**', () => undefined);
    await page.getByRole('button', { name: 'Check this report' }).click();
    await page.getByRole('button', { name: 'Stop' }).click();
    await result(page)
      .getByText(/Stopped\. Nothing is said/)
      .waitFor();
    expect(await page.getByRole('button', { name: 'Check this report' }).isEnabled()).toBe(true);
  });

  test.each(['light', 'dark'] as const)(
    'form and result can be read by everybody, also at 360 px: %s',
    async (colorScheme) => {
      publish(changedLine(good));
      await using context = await browser.newContext({ colorScheme, viewport: { width: 360, height: 800 } });
      const { page } = await open(context);
      await page.getByText('Keys, policy and anchors of your own').click();
      expect(await violationsOf(page, colorScheme)).toEqual([]);
      await page.getByRole('button', { name: 'Check this report' }).click();
      await result(page)
        .getByRole('heading', { name: /does not agree/ })
        .waitFor();
      expect(await violationsOf(page, colorScheme)).toEqual([]);
      expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(360);
    },
  );

  test('without JavaScript it says how to check from elsewhere', async () => {
    await using context = await browser.newContext({ javaScriptEnabled: false });
    const page = await context.newPage();
    await page.goto(`${site.url}/verify`);
    const said = await page.locator('main').innerText();
    expect(said).toContain('served by the party under test');
    expect(said).toMatch(/highwater verify https?:\/\/\S+\/reports\/YYYY-MM/);
    expect(said).toContain('With JavaScript, a report is checked here.');
  });

  test('this page alone may run a script, and its worker asks this site alone', async () => {
    const policyOf = async (path: string) =>
      (await fetch(`${site.url}${path}`)).headers.get('content-security-policy') ?? '';
    expect(await policyOf('/verify')).toContain("script-src 'self'; worker-src 'self'; connect-src 'self'");
    expect(await policyOf('/')).not.toContain('script-src');
    const html = await (await fetch(`${site.url}/verify`)).text();
    const worker = /data-worker="([^"]+)"/.exec(html)?.[1] ?? '';
    expect(await policyOf(worker)).toBe(
      "default-src 'none'; script-src 'self'; connect-src 'self'; frame-ancestors 'none'",
    );
  });
});

const vectorsFile = new URL('../../../shared/vectors/ed25519/ed25519vectors.json', import.meta.url);

describe.runIf(installed && existsSync(vectorsFile))('Ed25519 of chromium', () => {
  let server: Server;
  let browser: Browser;
  beforeAll(async () => {
    const entry = fileURLToPath(new URL('lib/verify/checker.ts', import.meta.url));
    const made = await build({
      configFile: false,
      logLevel: 'silent',
      build: { write: false, minify: false, lib: { entry, formats: ['es'], fileName: 'checker' } },
    });
    const [output] = [made].flat();
    if (output === undefined || !('output' in output)) throw new Error('nothing was built');
    const { code } = output.output[0];
    server = createServer((req, res) => {
      const isScript = req.url === '/checker.js';
      res
        .writeHead(200, { 'content-type': isScript ? 'text/javascript' : 'text/html' })
        .end(
          isScript
            ? `${code}\nglobalThis.browserChecker = browserChecker;`
            : '<script type="module" src="/checker.js"></script>',
        );
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    browser = await launch();
  }, 60_000);
  afterAll(async () => {
    await browser.close();
    await new Promise((resolve) => server.close(resolve));
  });

  test('208 of 914 published vectors are accepted, as everywhere else', async () => {
    const rows = JSON.parse(readFileSync(vectorsFile, 'utf8')) as { key: string; sig: string; msg: string }[];
    const page = await browser.newPage();
    await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
    await page.waitForFunction(() => 'browserChecker' in globalThis);
    const { lends, accepted } = await page.evaluate(async (rows) => {
      const { browserChecker } = globalThis as unknown as typeof import('./lib/verify/checker.ts');
      const checker = await browserChecker({ subtle: crypto.subtle });
      const bytes = (hex: string) => Uint8Array.from(hex.match(/../g) ?? [], (pair) => parseInt(pair, 16));
      const accepted: boolean[] = [];
      for (const { key, sig, msg } of rows) {
        const vkey = { name: 'cctv', keyId: '00000000', type: 1, publicKey: bytes(key) };
        accepted.push(await checker.verify(vkey, new TextEncoder().encode(msg), bytes(sig)));
      }
      return { lends: checker.lends, accepted };
    }, rows);
    expect(lends).toEqual({ ed25519: true, sha256: true });
    const { nodeChecker } = await import('@highwater/config/node-checker.ts');
    const node = nodeChecker();
    const wanted = await Promise.all(
      rows.map(({ key, sig, msg }) =>
        node.verify(
          { name: 'cctv', keyId: '00000000', type: 1, publicKey: Buffer.from(key, 'hex') },
          Buffer.from(msg),
          Buffer.from(sig, 'hex'),
        ),
      ),
    );
    expect(wanted.filter(Boolean).length).toBe(208);
    expect(accepted).toEqual(wanted);
  });
});
