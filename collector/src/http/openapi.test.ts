import { readFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { testHouse } from '../testing/config.ts';
import { dropDataDir, newDataDir, openHouse, type House } from '../testing/house.ts';

interface Document {
  readonly openapi: string;
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
}
interface Operation {
  readonly security: readonly object[];
  readonly parameters: readonly { readonly name: string; readonly in: string }[];
  readonly responses: Readonly<Record<string, { readonly content: Readonly<Record<string, unknown>> }>>;
}

let dataDir: string;
let house: House;
beforeEach(async () => {
  dataDir = newDataDir();
  house = await openHouse(testHouse().config, dataDir);
}, 30_000);
afterEach(async () => {
  await house.stop();
  dropDataDir(dataDir);
});

/** Every path that a route is declared with, from the source: also of one that is never given to the server. */
function declared(): string[] {
  const files = [
    'probe-calls.ts',
    'reader-calls.ts',
    'log-calls.ts',
    'maintenance-calls.ts',
    'annotation-calls.ts',
    'detail-calls.ts',
    'report-calls.ts',
    'openapi.ts',
  ];
  return files.flatMap((file) => {
    const source = readFileSync(new URL(file, import.meta.url), 'utf8');
    return [...source.matchAll(/^ *path: '([^']+)',$/gm)].map(([, path = '']) =>
      path.replaceAll(/[:*]([^/]+)/g, '{$1}'),
    );
  });
}

describe('/openapi.json', () => {
  it('tells every call that is answered, and no other', async () => {
    const { openapi, paths } = await house.json<Document>('/openapi.json');
    expect(openapi).toBe('3.1.0');
    expect(declared().length).toBeGreaterThan(9);
    expect(Object.keys(paths).sort()).toEqual([...new Set(declared())].sort());
    for (const [path, operations] of Object.entries(paths)) {
      const asked = await fetch(house.url + path.replaceAll(/\{[^}]+\}/g, 'x'), { method: 'PUT' });
      const allowed = asked.headers.get('allow')?.toLowerCase().split(', ').sort();
      expect([path, asked.status, allowed]).toEqual([path, 405, Object.keys(operations).sort()]);
    }
  });

  it('says who may call, what is asked and what is answered', async () => {
    const { paths } = await house.json<Document>('/openapi.json');
    expect(paths['/v1/alerts/{id}/ack']?.['post']).toMatchObject({
      security: [{ token: [] }],
      parameters: [{ name: 'id', in: 'path', required: true }],
      requestBody: { content: { 'application/json': { schema: { required: ['by'] } } } },
    });
    expect(paths['/v1/frames']?.['post']?.security).toEqual([]);
    expect(paths['/v1/why']?.['get']?.parameters.map(({ name }) => name)).toEqual(['monitor', 'at']);
    for (const path of ['/v1/snapshot', '/v1/events', '/v1/status', '/v1/why']) {
      expect(paths[path]?.['get']?.responses['200']?.content).toMatchObject({
        'application/json': { schema: { type: 'object', properties: {} } },
      });
    }
    expect(paths['/v1/assignments']?.['get']?.responses['200']?.content).toMatchObject({
      'application/json': { schema: { anyOf: [{ required: ['note', 'body'] }, { required: ['look'] }] } },
    });
    // What is written in one place of the document is not looked for in another.
    expect(JSON.stringify(paths)).not.toContain('$ref');
  });
});
