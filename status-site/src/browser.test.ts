/** The built site in a real browser: readable by everyone, and text from outside stays text. */
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { PublicServiceDetail } from '@highwater/config/public-detail.ts';
import type { PublicSnapshot } from '@highwater/config/public.ts';
import { executablePath, installed, launch, violationsOf } from '../../test/fixtures/chromium.ts';
import {
  aDetail,
  aMethodLatency,
  detailsOf,
  nothingCounted,
  somePeriods,
} from '../../test/fixtures/details.ts';
import {
  aMethod,
  aNode,
  anIncident,
  aService,
  aSnapshot,
  chainTrouble,
  everyStatus,
  firstMinute,
  manyNodes,
  oneDown,
  staleData,
  underMaintenance,
  unwellRegions,
} from '../../test/fixtures/snapshots.ts';
import { siteUnderTest, type SiteUnderTest } from '../../test/fixtures/site.ts';

// A deadline for a busy machine; all of it takes about 20 s on an idle one.
vi.setConfig({ testTimeout: 60_000 });

if (!installed) console.warn(`chromium is missing (${executablePath}): the page is not tested in a browser`);
test.runIf(process.env['CI'] === 'true')('chromium is installed', () => {
  expect(installed).toBe(true);
});

describe.runIf(installed)('in chromium', () => {
  let site: SiteUnderTest;
  let browser: Browser;
  beforeAll(async () => {
    site = await siteUnderTest(oneDown(Date.now()));
    browser = await launch();
  }, 120_000);
  afterAll(async () => {
    await browser.close();
    await site[Symbol.asyncDispose]();
  });

  async function withPage<T>(options: BrowserContextOptions, use: (page: Page) => Promise<T>): Promise<T> {
    await using context = await browser.newContext(options);
    // A route switches off the browser's cache, which keeps pages for five seconds.
    await context.route('**', (route) => route.continue());
    return await use(await context.newPage());
  }
  const open = (page: Page, path: string) => page.goto(site.url + path, { waitUntil: 'load' });

  /** A list of nodes; two hundred would only take time. */
  const someMany = (now: number): PublicSnapshot => manyNodes(now, 20);

  /** Just started: numbers of nothing, and charts without a line. */
  function uncounted(now: number, { services }: PublicSnapshot): readonly PublicServiceDetail[] {
    return services.map((service) => {
      const none = aMethodLatency(now, 'eu', '*', 1);
      return {
        ...aDetail(now, { ...service, nodes: [] }),
        numbers: { subjects: [{ subject: service.id, periods: somePeriods(now, nothingCounted) }] },
        charts: {
          latency: [{ ...none, hours: none.hours.map(() => null) }],
          nodes: service.nodes.map((node) => ({
            node: node.id,
            days: [],
            heads: { from: now, everyMs: 300_000, heights: [null], lagBlocks: [null] },
          })),
        },
      };
    });
  }

  const worlds: readonly [
    name: string,
    snapshot: (now: number) => PublicSnapshot,
    paths: readonly string[],
    details?: (now: number, snapshot: PublicSnapshot) => readonly PublicServiceDetail[],
  ][] = [
    [
      'numbers and charts',
      oneDown,
      ['/services/polkadot-rpc', '/services/ethereum-rpc?region=us'],
      detailsOf,
    ],
    ['numbers, stale', staleData, ['/services/ethereum-rpc?method=eth_blockNumber'], detailsOf],
    ['nothing counted', firstMinute, ['/services/ethereum-rpc'], uncounted],
    ['many nodes', someMany, ['/services/many-rpc?node=node-3&region=eu'], detailsOf],
    [
      'one down',
      oneDown,
      ['/', '/services/polkadot-rpc', '/incidents', '/incidents/01K9ZC0INCIDENT1', '/nope'],
    ],
    ['every status', everyStatus, ['/']],
    ['chain trouble', chainTrouble, ['/', '/services/bitshares-api', '/services/ethereum-rpc']],
    ['first minute', firstMinute, ['/', '/services/polkadot-rpc']],
    ['stale', staleData, ['/', '/services/ethereum-rpc', '/incidents']],
    ['regions unwell', unwellRegions, ['/', '/services/ethereum-rpc']],
    ['under maintenance', underMaintenance, ['/', '/services/ethereum-rpc', '/maintenance']],
  ];

  async function show(
    snapshot: (now: number) => PublicSnapshot,
    details?: (now: number, snapshot: PublicSnapshot) => readonly PublicServiceDetail[],
  ): Promise<void> {
    const now = Date.now();
    const shown = snapshot(now);
    await site.show(shown, details?.(now, shown));
  }

  test.each(worlds)('%s: no violation of WCAG in light and dark', async (_, snapshot, paths, details) => {
    await show(snapshot, details);
    for (const colorScheme of ['light', 'dark'] as const)
      await withPage({ colorScheme, viewport: { width: 1280, height: 900 } }, async (page) => {
        for (const path of paths) {
          await open(page, path);
          await page.locator('details').evaluateAll(openFirst);
          await page.locator('figure').evaluateAll(openTables);
          const violations = await violationsOf(page, colorScheme);
          expect({ path, colorScheme, violations }).toEqual({ path, colorScheme, violations: [] });
        }
      });
  });

  /** Names without a place to break are the hard case. */
  function unbreakable(now: number): PublicSnapshot {
    const long = 'x'.repeat(120);
    const node = aNode(now, {
      id: long,
      zone: long,
      because: long,
      status: 'down',
      finalizedHeight: 23_456_700,
      lagBlocks: 123_456_789,
      lagMs: 100 * 86_400_000,
      methods: [
        aMethod(now, 'm'.repeat(64), 5_999_990, {
          faults: [{ fault: 'target.connect.refused', count: 123_456_789 }],
        }),
        aMethod(now, 'm'.repeat(64), 5_999_990, { check: 'c'.repeat(64) }),
      ],
    });
    const service = aService(now, {
      name: long,
      description: long,
      group: long,
      because: long,
      status: 'down',
      component: 'major_outage',
      nodes: [node, aNode(now)],
    });
    const incident = anIncident(now, {
      title: long,
      services: [service.id],
      nodes: [long],
      updates: [{ id: 'u', at: now, phase: 'investigating', body: long }],
    });
    const regions = [
      { id: 'eu', name: long, probes: 1, heardAt: now, state: 'offline' as const, since: now, because: long },
    ];
    return aSnapshot(now, {
      site: { name: long, url: 'http://localhost' },
      services: [service],
      incidents: [incident],
      regions,
      holds: long,
    });
  }

  test.each([
    ...worlds,
    [
      'unbreakable names',
      unbreakable,
      ['/', '/services/ethereum-rpc', '/incidents', '/incidents/01K9ZC0INCIDENT1'],
      detailsOf,
    ] as const,
  ])('%s: nothing to scroll sideways at 320 and 375 px', async (_, snapshot, paths, details) => {
    await show(snapshot, details);
    await withPage({ viewport: { width: 375, height: 700 } }, async (page) => {
      for (const path of paths) {
        await page.setViewportSize({ width: 375, height: 700 });
        await open(page, path);
        await page.locator('details').evaluateAll(openFirst);
        await page.locator('figure').evaluateAll(openTables);
        expect({ path, widest: await widest(page) }).toEqual({ path, widest: [] });
        await page.setViewportSize({ width: 320, height: 700 });
        expect({ path, widest: await widest(page) }).toEqual({ path, widest: [] });
      }
    });
  });

  test('without JavaScript: from the overview to a service, its days, an incident and back, by keyboard alone', async () => {
    await site.show(oneDown(Date.now()));
    await withPage({ javaScriptEnabled: false }, async (page) => {
      await open(page, '/');
      await page.keyboard.press('Tab');
      expect(await page.locator(':focus').textContent()).toBe('Skip to content');
      await page.keyboard.press('Enter');
      await page.keyboard.press('Tab');
      expect(await page.locator(':focus').textContent()).toBe('Polkadot RPC is down');
      await page.keyboard.press('Enter');
      await page.waitForURL('**/incidents/01K9ZC0INCIDENT1');
      await page.getByRole('link', { name: 'Polkadot RPC', exact: true }).press('Enter');
      await page.waitForURL('**/services/polkadot-rpc');
      await page.getByText('The same days as a table').first().press('Enter');
      expect(
        await page
          .getByRole('table', { name: /Minutes of each UTC day, Polkadot RPC/ })
          .getByRole('row')
          .count(),
      ).toBe(91);
      await page.getByRole('link', { name: 'Example Nodes' }).press('Enter');
      await page.waitForURL(`${site.url}/`);
      expect(await page.getByRole('heading', { level: 1 }).textContent()).toBe('Outage: Polkadot RPC');
    });
  });

  test('without JavaScript: a region that is unwell is told once on each page, above what it bears on', async () => {
    await site.show(unwellRegions(Date.now()));
    await withPage({ javaScriptEnabled: false }, async (page) => {
      for (const [path, before] of [
        ['/', '#group-0'],
        ['/services/ethereum-rpc', 'table:has(caption:text("Answers of"))'],
      ] as const) {
        await open(page, path);
        const lines = await page.locator('.unwell').allInnerTexts();
        expect(
          lines.map((line) => line.replace(/\s+/g, ' ').replace(/since .*?:(?! ?\d)/, 'since T:')),
        ).toEqual([
          'Controls fail Frankfurt, since T: its probes are offline; their answers do not count.',
          'Sees it otherwise Singapore, since T: it sees 2 of 3 nodes as down that the other regions see up.',
        ]);
        const top = async (selector: string) =>
          (await page.locator(selector).first().boundingBox())?.y ?? Infinity;
        expect(await top('.unwell')).toBeLessThan((await top(before)) + 1);
        expect(await page.locator('main').innerText()).not.toContain('probe.control');
      }
    });
  });

  test('without JavaScript: a method and a region are chosen by keyboard, and their figures are read as a table', async () => {
    await show(oneDown, detailsOf);
    await withPage({ javaScriptEnabled: false }, async (page) => {
      await open(page, '/services/ethereum-rpc');
      const charts = page.locator('section[aria-labelledby="latency"] figure');
      expect(await charts.locator('figcaption').allInnerTexts()).toEqual([
        'Frankfurt',
        'New York',
        'Singapore',
      ]);
      await page
        .getByRole('navigation', { name: 'Method that is shown' })
        .getByText('eth_blockNumber')
        .press('Enter');
      await page.waitForURL('**?method=eth_blockNumber#latency');
      await page
        .getByRole('navigation', { name: 'Region that is shown' })
        .getByText('New York')
        .press('Enter');
      await page.waitForURL('**?method=eth_blockNumber&region=us#latency');
      expect(await charts.locator('figcaption').allInnerTexts()).toEqual(['New York']);
      expect(await charts.locator('p').innerText()).toContain('nothing measured in 5 of 48 hours');
      await charts.locator('summary').press('Enter');
      const name = 'Latency of ethereum-rpc, eth_blockNumber, New York, by hour';
      expect(await page.getByRole('img', { name }).count()).toBe(1);
      const table = page.getByRole('table', { name });
      expect(await table.getByRole('row').count()).toBe(49);
      expect(await page.getByRole('table', { name: 'As the regions agreed' }).getByRole('row').count()).toBe(
        7,
      );
    });
  });

  test('without JavaScript: of many nodes one is chosen, and is shown with its charts', async () => {
    await show(someMany, detailsOf);
    await withPage({ javaScriptEnabled: false }, async (page) => {
      await open(page, '/services/many-rpc');
      expect(await page.locator('article h3').allInnerTexts()).toEqual([
        'Objective 99.95 % over 30 days',
        'ethereum',
      ]);
      await page.getByRole('link', { name: 'node-17', exact: true }).press('Enter');
      await page.waitForURL('**?node=node-17#nodes');
      expect((await page.locator('article h3').allInnerTexts()).at(-1)).toContain('node-17');
      expect(await page.locator('section[aria-labelledby="nodes"] figcaption').allInnerTexts()).toEqual([
        'Latency by day',
        'Lag in blocks',
        'Height',
      ]);
      expect(await page.locator('[aria-current="true"]').allInnerTexts()).toContain('node-17');
    });
  });

  test('what has the focus can be seen', async () => {
    await withPage({}, async (page) => {
      await open(page, '/');
      await page.keyboard.press('Tab');
      await page.keyboard.press('Tab');
      const outline = await page
        .locator(':focus')
        .evaluate((element) => getComputedStyle(element).outlineWidth);
      expect(outline).toBe('3px');
    });
  });

  test('on stale data no pixel is green', async () => {
    await show(staleData, detailsOf);
    await withPage({}, async (page) => {
      for (const colorScheme of ['light', 'dark'] as const) {
        await page.emulateMedia({ colorScheme });
        for (const path of ['/', '/services/polkadot-rpc']) {
          await open(page, path);
          const colors = await page.locator('main *').evaluateAll((all) =>
            all.flatMap((element) => {
              const { fill, color, backgroundColor, stroke } = getComputedStyle(element);
              return [fill, color, backgroundColor, stroke];
            }),
          );
          expect([...new Set(colors)].filter(isGreen)).toEqual([]);
        }
      }
      await site.show(oneDown(Date.now()));
      await open(page, '/');
      const fills = await page
        .locator('path.up')
        .evaluateAll((all) => all.map((one) => getComputedStyle(one).fill));
      expect(fills.some(isGreen)).toBe(true);
    });
  });

  const corpus = [
    '<script>alert(1)</script>',
    '"><img src=x onerror=alert(1)>',
    "'><svg onload=alert(1)>",
    '</title><script>alert(1)</script>',
    '</textarea></style></noscript><iframe srcdoc="<script>alert(1)</script>">',
    '<a href="javascript:alert(1)">x</a>',
    '<!--<img src="--><img src=x onerror=alert(1)>',
    '{@html "<b>x</b>"} {{constructor.constructor("alert(1)")()}}',
    '&lt;script&gt;alert(1)&lt;/script&gt;',
    '<base href="https://evil.example/"><meta http-equiv="refresh" content="0;url=https://evil.example">',
    '\u202e\u0000<b>x</b>',
  ];

  /** The same snapshot with one text in every place that text can come from outside. */
  function saying(text: string, now: number): PublicSnapshot {
    const node = aNode(now, { id: text, zone: text, because: text, status: 'down' });
    const service = aService(now, {
      name: text,
      description: text,
      group: text,
      because: text,
      status: 'down',
      component: 'major_outage',
      head: { chain: text, height: 1, at: now, nodes: 1, state: 'moving', because: text, blockTimeMs: 1 },
      nodes: [
        {
          ...node,
          methods: node.methods.map((each) => ({
            ...each,
            check: text,
            method: `${text}${each.method}`,
            faults: each.faults.map((one) => ({ ...one, fault: text })),
          })),
          checks: node.checks.map((check) => ({
            ...check,
            id: `${text}${check.id}`,
            because: text,
            regions: check.regions.map((vote) => ({ ...vote, fault: text })),
          })),
        },
      ],
    });
    const incident = anIncident(now, {
      title: text,
      services: [service.id],
      nodes: [text],
      updates: [{ id: text, at: now, phase: 'investigating', body: text }],
    });
    return aSnapshot(now, {
      site: { name: text, url: 'http://localhost' },
      services: [service],
      incidents: [incident],
      regions: [
        { id: 'eu', name: text, probes: 1, heardAt: now, state: 'offline', since: now, because: text },
      ],
      holds: text,
    });
  }

  /** The same text wherever the numbers and charts have one from outside. */
  function sayingAll(text: string, now: number): readonly PublicServiceDetail[] {
    const { service, ...rest } = aDetail(now, aService(now, { nodes: [aNode(now, { id: text })] }));
    const periods = somePeriods(now, () => ({
      ...nothingCounted(),
      share: text,
      uptime: { figure: text, incomplete: true },
    }));
    return [
      {
        ...rest,
        service,
        numbers: {
          subjects: [
            { subject: service, periods },
            { subject: service, region: text, periods },
            { subject: `${service}/${text}`, periods },
            { subject: `${service}/${text}/${text}`, periods },
          ],
          ...(rest.numbers.budget ? { budget: { ...rest.numbers.budget, objective: text, left: text } } : {}),
        },
        charts: {
          latency: ['*', text].flatMap((method) =>
            ['eu', text].map((region) => aMethodLatency(now, region, method, 99)),
          ),
          nodes: rest.charts.nodes,
        },
      },
    ];
  }

  /** Element names and attribute names in order: what a hostile text must not change. `<wbr>` stands after each dot of a fault. */
  const outline = (page: Page) =>
    page
      .locator(':root *:not(wbr)')
      .evaluateAll((all) => all.map((one) => `${one.tagName} ${one.getAttributeNames().join(' ')}`));

  test('text from outside makes no element, no attribute, no request and no dialog', async () => {
    const paths = ['/', '/services/ethereum-rpc', '/incidents', '/incidents/01K9ZC0INCIDENT1'];
    await withPage({}, async (page) => {
      const trouble: string[] = [];
      page.on('dialog', (dialog) => void dialog.dismiss().then(() => trouble.push('dialog')));
      page.on('request', (sent) => sent.url().startsWith(site.url) || trouble.push(sent.url()));
      page.on('console', (message) => trouble.push(message.text()));
      const tell = async (text: string): Promise<void> => {
        const now = Date.now();
        await site.show(saying(text, now), sayingAll(text, now));
      };
      await tell('plain');
      const expected: Record<string, readonly string[]> = {};
      for (const path of paths) {
        await open(page, path);
        expected[path] = await outline(page);
      }
      for (const text of [corpus.join(' '), corpus.toReversed().join(' ')]) {
        await tell(text);
        for (const path of paths) {
          await open(page, path);
          expect({ text, path, outline: await outline(page) }).toEqual({
            text,
            path,
            outline: expected[path],
          });
        }
        expect(await page.title()).toContain('</title><script>alert(1)</script>');
      }
      expect(trouble).toEqual([]);
    });
  });
});

/** What makes the page wider than its window. */
function widest(page: Page): Promise<readonly string[]> {
  return page.evaluate(() => {
    const { clientWidth, scrollWidth } = document.documentElement;
    if (scrollWidth <= clientWidth) return [];
    return [...document.querySelectorAll('*')]
      .filter((one) => one.getBoundingClientRect().right > clientWidth + 1)
      .slice(0, 5)
      .map((one) => one.outerHTML.slice(0, 120));
  });
}

/** One table is like another; all of them would only take time. */
function openFirst(all: readonly Element[]): void {
  all[0]?.setAttribute('open', '');
}

/** Of the first chart and the last. */
function openTables(all: readonly Element[]): void {
  for (const one of [all.at(0), all.at(-1)]) one?.querySelector('details')?.setAttribute('open', '');
}

/** `rgb(…)` in which green stands out. */
function isGreen(color: string): boolean {
  const [red = 0, green = 0, blue = 0, alpha = 1] = (/^rgba?\((.*)\)$/.exec(color)?.[1] ?? '')
    .split(',')
    .map(Number);
  return alpha > 0 && green > red + 25 && green > blue + 15;
}
