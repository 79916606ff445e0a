/**
 * Screenshots of every page of a running site, narrow and wide, light and dark:
 *   node status-site/scripts/shots.ts URL FOLDER [NAME]
 * Files are FOLDER/NAME-PAGE-WIDTH-SCHEME.png. CHROMIUM names another browser than /usr/bin/chromium.
 */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { chromium } from 'playwright-core';

/** What chromium needs to run without a screen, an account or the network. */
const chromiumArgs =
  '--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking --disable-component-update --disable-sync'.split(
    ' ',
  );

const [url, folder, name = 'site'] = process.argv.slice(2);
if (!url || !folder) {
  console.error('usage: node status-site/scripts/shots.ts URL FOLDER [NAME]');
  process.exit(3);
}

const browser = await chromium.launch({
  executablePath: process.env['CHROMIUM'] ?? '/usr/bin/chromium',
  args: chromiumArgs,
});
try {
  await mkdir(folder, { recursive: true });
  const pages = {
    overview: '/',
    ...(await firstLinks(url)),
    incidents: '/incidents',
    log: '/log',
    maintenance: '/maintenance',
    missing: '/no-such-page',
  };
  for (const colorScheme of ['light', 'dark'] as const)
    for (const width of [375, 1280]) {
      await using context = await browser.newContext({ colorScheme, viewport: { width, height: 800 } });
      const page = await context.newPage();
      for (const [title, path] of Object.entries(pages)) {
        await page.goto(new URL(path, url).href);
        const file = join(folder, `${name}-${title}-${width}-${colorScheme}.png`);
        await page.screenshot({ path: file, fullPage: true });
        console.log(file);
      }
    }
} finally {
  await browser.close();
}

/** The page of the service that is worst off and of the newest incident, where there are any. */
async function firstLinks(url: string): Promise<Record<string, string>> {
  await using context = await browser.newContext();
  const page = await context.newPage();
  await page.goto(url);
  const hrefs = (selector: string) =>
    page.locator(selector).evaluateAll((links) => links.map((link) => link.getAttribute('href') ?? ''));
  const services = [
    ...(await hrefs('article:has(.mark:not(.tone-up)) a[href^="/services/"]')),
    ...(await hrefs('a[href^="/services/"]')),
  ];
  await page.goto(new URL('/incidents', url).href);
  const incidents = await hrefs('a[href^="/incidents/"]');
  return {
    ...(services[0] ? { service: services[0] } : {}),
    ...(incidents[0] ? { incident: incidents[0] } : {}),
  };
}
