/** Monthly reports in a real browser: readable by everyone, on paper too, and text from outside stays text. */
import { formatReport, type Report } from '@highwater/config/report/report.ts';
import { sampleReport } from '@highwater/config/report/testing/sample.ts';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { installed, launch, violationsOf } from '../../test/fixtures/chromium.ts';
import { monthsBefore } from '../../test/fixtures/reports.ts';
import { siteUnderTest, type SiteUnderTest } from '../../test/fixtures/site.ts';
import { oneDown } from '../../test/fixtures/snapshots.ts';

vi.setConfig({ testTimeout: 60_000 });

const report = sampleReport();
const paths = ['/reports', '/reports/2026-10'] as const;

describe.runIf(installed)('reports in chromium', () => {
  let site: SiteUnderTest;
  let browser: Browser;
  beforeAll(async () => {
    site = await siteUnderTest(oneDown(Date.now()));
    await site.publish([report, ...monthsBefore(report, 3), hostile('2026-01')]);
    browser = await launch();
  }, 120_000);
  afterAll(async () => {
    await browser.close();
    await site[Symbol.asyncDispose]();
  });

  async function withPage<T>(options: BrowserContextOptions, use: (page: Page) => Promise<T>): Promise<T> {
    await using context = await browser.newContext(options);
    return await use(await context.newPage());
  }
  const openAll = (page: Page) =>
    page.locator('details').evaluateAll((all) => all.forEach((one) => one.setAttribute('open', '')));

  test.each(paths)('%s: no violation of WCAG in light and dark, wide and narrow', async (path) => {
    for (const [colorScheme, width] of [
      ['light', 1280],
      ['light', 360],
      ['dark', 1280],
    ] as const)
      await withPage({ colorScheme, viewport: { width, height: 900 } }, async (page) => {
        await page.goto(site.url + path);
        await openAll(page);
        const violations = await violationsOf(page, colorScheme);
        expect({ colorScheme, width, violations }).toEqual({ colorScheme, width, violations: [] });
      });
  });

  test.each([...paths, '/reports/2026-01'])(
    '%s: nothing to scroll sideways at 320 and 360 px',
    async (path) => {
      for (const width of [320, 360])
        await withPage({ viewport: { width, height: 700 }, javaScriptEnabled: true }, async (page) => {
          await page.goto(site.url + path);
          await openAll(page);
          const [all, seen] = await page.evaluate(() => [
            document.documentElement.scrollWidth,
            document.documentElement.clientWidth,
          ]);
          expect(all).toBe(seen);
        });
    },
  );

  test('without JavaScript, by keyboard: from the page to the reports, a month, and its days as a table', async () => {
    await withPage({ javaScriptEnabled: false }, async (page) => {
      await page.goto(site.url);
      await page.getByRole('navigation', { name: 'Main' }).getByText('Reports').press('Enter');
      await page.waitForURL('**/reports');
      await page.getByRole('link', { name: 'October 2026', exact: true }).press('Enter');
      await page.waitForURL('**/reports/2026-10');
      expect(await page.getByRole('heading', { level: 1 }).innerText()).toBe('Uptime report, October 2026');
      const section = page.locator('#service-rpc');
      await section.getByText('Days with trouble as a table').press('Enter');
      const table = section.getByRole('table', { name: /^Days of Public RPC that were not up/ });
      expect(await table.getByRole('row').count()).toBe(6);
    });
  });

  test('a narrow window shows rows as blocks, which are a table still', async () => {
    await withPage({ viewport: { width: 360, height: 700 } }, async (page) => {
      await page.goto(`${site.url}/reports/2026-10`);
      const table = page.getByRole('table', { name: 'Uptime of each service, maintenance left out' });
      const row = table.getByRole('row', { name: /^Public RPC/ });
      expect(await row.getByRole('cell').count()).toBe(6);
      const box = await row.boundingBox();
      expect(box?.height).toBeGreaterThan(80);
    });
  });

  test('on paper: black on white in the dark too, nothing folded, no navigation, all tables whole', async () => {
    await withPage({ colorScheme: 'dark' }, async (page) => {
      await page.goto(`${site.url}/reports/2026-10`);
      await page.emulateMedia({ media: 'print', colorScheme: 'dark' });
      const seen = await page.evaluate(() => ({
        colors: [...document.querySelectorAll('main, main td, main h2, main a')]
          .map((one) => getComputedStyle(one).color)
          .filter((color, index, all) => all.indexOf(color) === index),
        ground: getComputedStyle(document.documentElement).backgroundColor,
        navigation: [...document.querySelectorAll('nav, summary, footer, .skip')].filter(
          (one) => one.getClientRects().length > 0,
        ).length,
        folded: [...document.querySelectorAll('.fold table')].filter(
          (one) => one.getClientRects().length === 0 || one.getBoundingClientRect().height < 50,
        ).length,
      }));
      expect(seen).toMatchObject({ ground: 'rgb(255, 255, 255)', navigation: 0, folded: 0 });
      // #000, and #333 of what is muted.
      expect(seen.colors.filter((color) => !['rgb(0, 0, 0)', 'rgb(51, 51, 51)'].includes(color))).toEqual([]);
      const pdf = await page.pdf({ preferCSSPageSize: true });
      // A4 in points; Chromium rounds to hundredths.
      expect(pdf.toString('latin1')).toMatch(/\/MediaBox \[0 0 59[45][.\d]* 84[12][.\d]*\]/);
    });
  });

  const text =
    '<script>alert(1)</script>"><img src=x onerror=alert(1)>\'</title>{@html "x"}&lt;b&gt;javascript:alert(1)' +
    'x'.repeat(120);

  /** One text in every place that is no number, and no word of the schema. */
  function hostile(month: string): Report {
    const plain: Report = { ...report, month };
    const tell = (value: unknown, key = ''): unknown => {
      if (typeof value === 'string')
        return /^(rule|month|act|why|subject|id|of|date)$/.test(key) ? value : text;
      if (Array.isArray(value)) return value.map((one) => tell(one, key));
      if (typeof value === 'object' && value !== null)
        return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, tell(one, name)]));
      return value;
    };
    const said = tell(plain) as Report;
    formatReport(said);
    return said;
  }

  test('text from outside makes no element, no request and no dialog', async () => {
    await withPage({}, async (page) => {
      const trouble: string[] = [];
      page.on('dialog', (dialog) => void dialog.dismiss().then(() => trouble.push('dialog')));
      page.on('request', (sent) => sent.url().startsWith(site.url) || trouble.push(sent.url()));
      page.on('console', (message) => trouble.push(message.text()));
      await page.goto(`${site.url}/reports/2026-01`);
      expect(await page.locator('script, main img, iframe, base').count()).toBe(0);
      const hrefs = await page
        .locator('a')
        .evaluateAll((all) => all.map((one) => one.getAttribute('href') ?? ''));
      expect(hrefs.filter((href) => !/^(\/|#|https:\/\/c2sp\.org\/)/.test(href))).toEqual([]);
      expect(await page.locator('main').innerText()).toContain('<script>alert(1)</script>');
      expect(trouble).toEqual([]);
    });
  });
});
