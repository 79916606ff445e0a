/**
 * The monthly report as its readers meet it, on real processes: a collector with last month's evidence makes it by itself, the
 * page shows it, a mail tells of it, and three programs count it again: the command, a script that shares no code, a browser.
 */
import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { formatReport, parseReport, type Report } from '@highwater/config/report/report.ts';
import { type ReportList, reportList } from '@highwater/config/wire.ts';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { installed, launch } from '../fixtures/chromium.ts';
import { startSmtp } from '../fixtures/smtp.ts';
import { getJson, highwater, type Process, startRole, until } from './process.ts';
import { type Filled, fillLastMonth, MINUTES, OTHERS, played } from './report-world.ts';

const run = promisify(execFile);
const script = fileURLToPath(new URL('../conformance/recount.mjs', import.meta.url));

describe('the report of last month', () => {
  const stack = new AsyncDisposableStack();
  const dir = mkdtempSync(join(tmpdir(), 'highwater-report-'));
  stack.defer(() => rmSync(dir, { recursive: true, force: true }));
  const out = join(dir, 'out');
  let smtp: Awaited<ReturnType<typeof startSmtp>>;
  let world: Filled;
  let collector: Process;
  let site: Process;
  let report: Report;
  let archive: string;
  afterAll(() => stack.disposeAsync());

  beforeAll(async () => {
    smtp = stack.use(await startSmtp());
    world = await fillLastMonth(dir);
    const common = ['--config', world.configFile, '--data', world.data, '--port', '0'];
    const env = { TEST_SMTP: smtp.url };
    collector = stack.use(await startRole(['collector', ...common], env));
    const readers = [...common, '--collector', collector.url];
    site = stack.use(await startRole(['site', ...readers]));
    stack.use(await startRole(['alerts', ...readers], env));
    archive = join(out, `report-${world.month}.tar.gz`);
  }, 240_000);

  const page = (path = ''): string => `${site.url}/reports/${world.month}${path}`;
  const ofCollector = (...args: string[]) =>
    highwater(['report', ...args, '--collector', collector.url, '--data', world.data]);
  const verify = (...args: string[]) => highwater(['verify', ...args]);
  const textOf = async (url: string): Promise<string> => {
    const answer = await fetch(url, { signal: AbortSignal.timeout(10_000) });
    return answer.ok ? answer.text() : '';
  };

  /** The bundle in a folder of its own, which a test may change. */
  async function unpacked(name: string): Promise<string> {
    const folder = join(dir, name);
    mkdirSync(folder);
    await run('tar', ['xzf', archive, '-C', folder, '--strip-components', '1']);
    return folder;
  }

  /** A changed folder as an archive, its files in the order of the real one. */
  async function packed(folder: string): Promise<string> {
    const { stdout } = await run('tar', ['tzf', archive]);
    const [top = ''] = stdout.split('/');
    const names = stdout.split('\n').filter((name) => /[^/]$/.test(name));
    const list = `${folder}.names`;
    writeFileSync(list, names.map((name) => `${name.slice(top.length + 1)}\n`).join(''));
    await run('tar', ['czf', `${folder}.tar.gz`, '-C', folder, '--transform', `s,^,${top}/,`, '-T', list]);
    return `${folder}.tar.gz`;
  }

  /** A minute down less, of the website. */
  function raised(folder: string): void {
    const file = join(folder, 'report.json');
    const services = report.counted.services.map((service) => ({
      ...service,
      subjects: service.subjects.map((one) =>
        one.subject === 'web'
          ? { ...one, totals: { ...one.totals, up: one.totals.up + 1, down: one.totals.down - 1 } }
          : one,
      ),
    }));
    writeFileSync(file, formatReport({ ...report, counted: { ...report.counted, services } }));
  }

  it('is made by itself after the start, signed, and counts what was played', async () => {
    const published = await until('the report is published', 60_000, async () => {
      const list: ReportList = reportList.parse(await getJson(`${collector.url}/v1/reports`));
      return list.reports.find(({ month }) => month === world.month);
    });
    expect(published).toMatchObject({ revision: 1 });
    const parsed = parseReport(await textOf(`${collector.url}/v1/reports/${world.month}`));
    if ('error' in parsed) throw new Error(parsed.error);
    report = parsed;
    const { inTime, tooLate, outage } = played;
    // Announced too late, it counts from the minute after it was in the log; those before are down.
    const late = tooLate.declared + 1 - tooLate.first;
    const apart = inTime.end - inTime.first + tooLate.end - tooLate.first - late;
    const [rpc, web] = ['rpc', 'web'].map((id) => published.services.find((one) => one.id === id));
    expect(web).toMatchObject({ down: late, maintenance: apart, unknown: 0, up: MINUTES - late - apart });
    expect(rpc).toMatchObject({
      down: outage.end - outage.first,
      maintenance: 0,
      objectiveMillionths: 999_000,
    });
    // Live verdicts go by the moment at which things arrive: of the short ones it may have opened none.
    const incident = report.told.incidents.find(({ title }) => title === 'Dev RPC is down');
    expect(incident?.acknowledgedAt).toBeGreaterThan(incident?.openedAt ?? Infinity);
    expect(incident?.resolvedAt).toBeGreaterThan(incident?.acknowledgedAt ?? Infinity);
    expect(report.logged.configs).toHaveLength(2);
  });

  it('is on the page: in the list, by itself, and in each of its forms', async () => {
    await until('the page has copied it', 30_000, async () =>
      (await textOf(page())).includes('Uptime report,'),
    );
    expect(await textOf(`${site.url}/reports`)).toContain(`href="/reports/${world.month}"`);
    const text = await textOf(page());
    for (const said of [
      'Dev RPC is down',
      OTHERS,
      '1 of 3 probes is run by others',
      'memo of account example-anchor',
    ])
      expect(text).toContain(said);
    for (const [form, begin] of [
      ['.json', '{'],
      ['.md', '# '],
      ['.csv', 'month,'],
    ] as const)
      expect([form, (await textOf(page(form))).startsWith(begin)]).toEqual([form, true]);
  });

  it('is mailed once', async () => {
    const ofReport = () => smtp.mails.filter(({ subject }) => subject.includes('report'));
    await until('the mail', 60_000, () => ofReport().length > 0);
    const [mail] = ofReport();
    expect(mail?.to).toEqual(['voters@example.com']);
    expect(mail?.text).toContain(`https://status.example.com/reports/${world.month}`);
    expect(mail?.text).toMatch(/Website +\d\d\.\d{4} %/);
    expect(mail?.text).toMatch(/Anchor: highwater status\.example\.com\/log\/\d{4} \d+ \S{44}/);
    expect(ofReport()).toHaveLength(1);
  });

  it('is listed and written into files by the command, a second time too, and never over another file', async () => {
    const list = await ofCollector('list');
    expect([list.code, list.stderr]).toEqual([0, '']);
    expect(list.stdout).toMatch(new RegExp(`\\n${world.month} +1 +\\d{4}-.* UTC +2 +[\\d.]+ kB\\nnext: `));
    for (let times = 0; times < 2; times += 1) {
      const written = await ofCollector(world.month, '--out', out);
      expect([written.code, written.stderr]).toEqual([0, '']);
      expect(written.stdout).toContain(`report of ${world.month}, revision 1\n`);
    }
    const names = ['csv', 'json', 'md', 'tar.gz'].map((form) => `report-${world.month}.${form}`);
    expect(readdirSync(out).sort()).toEqual(names);
    expect(readFileSync(join(out, `report-${world.month}.json`), 'utf8')).toBe(formatReport(report));

    const other = join(dir, 'other');
    mkdirSync(other);
    writeFileSync(join(other, `report-${world.month}.md`), 'mine\n');
    const refused = await ofCollector(world.month, '--out', other);
    expect([refused.code, refused.stderr]).toEqual([
      1,
      expect.stringContaining('another file has this name'),
    ]);
    expect(readFileSync(join(other, `report-${world.month}.md`), 'utf8')).toBe('mine\n');
  });

  it('is verified from the file, from the page, and for one service', async () => {
    const services = '.*\\n {2}rpc .*12 min down.*\\n {2}web .* 6 min down; 34 min in maintenance';
    for (const args of [[archive], [page()]]) {
      const checked = await verify(...args);
      expect([args, checked.code, checked.stderr]).toEqual([args, 0, '']);
      expect(checked.stdout).toMatch(/^THE REPORT AGREES WITH ITS EVIDENCE\n/);
      expect(checked.stdout).toMatch(new RegExp(`Figures:${services}`));
      expect(checked.stdout).toContain('Probes run by others than the operator: 1 of 3.');
      expect(checked.stdout).toMatch(/Gaps:\n {2}us-1: no line from .* for 30 min\n/);
    }
    const one = await verify(page(), '--monitor', 'web/main/http', '--json');
    expect([one.code, one.stderr]).toEqual([0, '']);
    expect(JSON.parse(one.stdout)).toMatchObject({ verdict: 'good', service: 'web', problems: [] });
  });

  it('is counted again by a script that shares no code', async () => {
    const { stdout } = await run(process.execPath, [script, archive]);
    expect(stdout).toMatch(
      /\nweb: .* down 6, unknown 0, maintenance 34, .*\n\d+ rows of totals compared: all agree\n$/,
    );
  });

  it('with a changed figure is found out, by command and script', async () => {
    const folder = await unpacked('raised');
    expect((await verify(folder)).code).toBe(0);
    raised(folder);
    for (const changed of [folder, await packed(folder)]) {
      const found = await verify(changed);
      expect(found.code).toBe(1);
      expect(found.stdout).toMatch(/^THE REPORT DOES NOT AGREE WITH ITS EVIDENCE\n/);
      expect(found.stdout).toMatch(/\n {2}mismatch: report\.json: .*web/);
      expect(found.stdout).not.toContain('This proves:');
    }
    await expect(run(process.execPath, [script, `${folder}.tar.gz`])).rejects.toMatchObject({ code: 1 });
  });

  const region = (open: Page) => open.getByRole('region', { name: 'Result' });

  it.runIf(installed)(
    'is counted again by a browser, from this site and from files that are dropped',
    async () => {
      await using browser = await launch();
      const open = await browser.newPage();
      await open.goto(`${site.url}/verify`);
      await open.getByLabel('Month').waitFor();
      await open.getByRole('button', { name: 'Check this report' }).click();
      await region(open).getByRole('heading', { name: 'The report agrees with its evidence' }).waitFor();
      expect(await region(open).innerText()).toMatch(/web[\s\S]*6 min down; 34 min in maintenance/);
      for (const [file, says] of [
        [archive, 'The report agrees with its evidence'],
        [join(dir, 'raised.tar.gz'), 'The report does not agree with its evidence'],
      ] as const) {
        await open.getByLabel(/Drop a bundle here/).setInputFiles(file);
        await open.getByRole('button', { name: 'Check this bundle' }).click();
        await region(open)
          .getByText(/^Checked in this browser: .*\.tar\.gz/)
          .waitFor();
        await region(open).getByRole('heading', { name: says }).waitFor();
      }
      expect(await region(open).innerText()).toContain('report.json');
    },
  );

  it('stays on the page when the collector is dead', async () => {
    collector.signal('SIGKILL');
    await collector.gone;
    expect(await textOf(`${site.url}/reports`)).toContain(`href="/reports/${world.month}"`);
    expect(await textOf(page())).toContain('Dev RPC is down');
    expect(await textOf(page('.json'))).toBe(formatReport(report));
    // The bundle is the collector's alone: that it is not there is not taken for anything else.
    const checked = await verify(page());
    expect([checked.code, checked.stderr]).toEqual([2, expect.stringContaining('is refused (503)')]);
    expect((await verify(archive)).code).toBe(0);
  });
});
