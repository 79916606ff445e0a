/** A service of a month's report, checked by the page in Chromium: seconds from the click to the verdict. */
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { constants, inflateRawSync } from 'node:zlib';
import {
  ARCHIVE_HEADER_BYTES,
  indexPlace,
  parseArchiveIndex,
} from '@highwater/config/bundle/archive-index.ts';
import type { ArchivePiece } from '../../collector/src/reports/archive-writer.ts';
import { gzipOf } from '../../collector/src/reports/folder.ts';
import { startRole } from '../e2e/process.ts';
import { executablePath, installed, launch } from '../fixtures/chromium.ts';
import { allUp } from '../fixtures/snapshots.ts';

const LONG_MS = 600_000;

export interface Published {
  readonly archive: string;
  readonly month: string;
  readonly pieces: readonly ArchivePiece[];
}

export async function verifyInBrowser(published: Published, service: string): Promise<number> {
  if (!installed) throw new Error(`this case needs chromium at ${executablePath}: apt-get install chromium`);
  await using stack = new AsyncDisposableStack();
  const dir = mkdtempSync(join(tmpdir(), 'highwater-bench-'));
  stack.defer(() => rmSync(dir, { recursive: true, force: true }));
  const collector = collectorOf(published);
  collector.listen(0, '127.0.0.1');
  await once(collector, 'listening');
  stack.defer(() => void collector.close());
  const at = `http://127.0.0.1:${(collector.address() as AddressInfo).port}`;
  const site = stack.use(await startRole(['site', '--collector', at, '--data', dir, '--port', '0']));
  const browser = await launch();
  stack.defer(() => browser.close());

  const page = await browser.newPage();
  page.setDefaultTimeout(LONG_MS);
  const listed = {
    month: published.month,
    revision: 1,
    bytes: published.pieces.reduce((sum, { length }) => sum + length, 0),
    services: [{ id: service, name: service }],
  };
  await page.route('**/reports.json', (route) => route.fulfill({ json: { reports: [listed] } }));
  await page.goto(`${site.url}/verify`);
  await page.getByRole('combobox', { name: 'Service' }).selectOption(service);
  const startedAt = performance.now();
  await page.getByRole('button', { name: 'Check this report' }).click();
  const result = page.getByRole('region', { name: 'Result' });
  await result.getByRole('heading').first().waitFor();
  const seconds = (performance.now() - startedAt) / 1_000;
  const said = await result.innerText();
  if (!said.includes('agrees with its evidence')) throw new Error(`the page says: ${said.slice(0, 2_000)}`);
  return seconds;
}

/** Of an archive that is there already. */
export async function piecesOf(archive: string): Promise<ArchivePiece[]> {
  await using handle = await open(archive);
  const bytesAt = async (offset: number, length: number): Promise<Buffer> =>
    (await handle.read(Buffer.alloc(length), 0, length, offset)).buffer;
  const place = indexPlace(await bytesAt(0, ARCHIVE_HEADER_BYTES), (await handle.stat()).size);
  if (place === undefined) throw new Error(`${archive} has no index`);
  const text = inflateRawSync(await bytesAt(place.offset, place.length), {
    finishFlush: constants.Z_SYNC_FLUSH,
  });
  const pieces = parseArchiveIndex(text.toString('latin1'), place.offset);
  if (pieces === undefined) throw new Error(`the index of ${archive} is damaged`);
  return [...pieces.values()];
}

/** Sends each file as the collector does: its piece of the archive, as gzip. */
function collectorOf({ archive, month, pieces }: Published): Server {
  const byPath = new Map(pieces.map((piece) => [`/v1/reports/${month}/bundle/${piece.name}`, piece]));
  return createServer((req, res) => {
    const { pathname } = new URL(req.url ?? '/', 'http://collector');
    const piece = byPath.get(pathname);
    if (piece !== undefined) {
      res.writeHead(200, { 'content-type': 'application/octet-stream', 'content-encoding': 'gzip' });
      Readable.from(gzipOf(archive, piece)).pipe(res);
    } else if (pathname.startsWith('/v1/reports')) res.writeHead(404).end();
    else res.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(allUp(Date.now())));
  });
}
