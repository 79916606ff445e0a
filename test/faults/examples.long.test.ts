/** Each example of config/examples end to end: what an operator who starts from it sees on the page. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import type { PublicService } from '@highwater/config/public.ts';
import { getJson, until } from '../e2e/process.ts';
import { exampleNames, startExample } from './example-world.ts';

/** A folder for screenshots of every page, for somebody to look at. */
const shotsFolder = process.env['HIGHWATER_SHOTS'];
const shots = fileURLToPath(new URL('../../status-site/scripts/shots.ts', import.meta.url));

/** All methods of a service's nodes have been timed: they come with the batches, a minute later. */
function isTimed({ nodes }: PublicService): boolean {
  const methods = nodes.flatMap((node) => node.methods);
  return methods.every(({ p50Tenths, faults }) => p50Tenths !== undefined && faults.length === 0);
}

describe.each(exampleNames)('the example %s', (name) => {
  it('shows heads, lag and latency by method', { timeout: 300_000 }, async () => {
    await using world = await startExample(name);
    const read = async (id: string) =>
      (await getJson<{ service: PublicService }>(`${world.site.url}/api/services/${id}.json`)).service;
    const seen: PublicService[] = [];
    for (const id of world.services) {
      const service = await until(`${id} is up, with its figures`, 150_000, async () => {
        const now = await read(id);
        const headless = now.head && now.nodes.some(({ height }) => height === undefined);
        const calls = now.nodes.every(({ checks, methods }) =>
          checks.some(({ kind }) => kind === 'jsonrpc') ? methods.length > 0 : true,
        );
        return now.status === 'up' && !headless && calls && isTimed(now) ? now : undefined;
      });
      seen.push(service);
      for (const node of service.nodes) {
        expect(node.checks.map(({ id, status }) => `${node.id}/${id} ${status}`)).toEqual(
          node.checks.map(({ id }) => `${node.id}/${id} up`),
        );
      }
    }
    for (const { id, head, nodes } of seen.filter(({ head }) => head)) {
      expect(head?.state, id).toBe('moving');
      for (const node of nodes)
        expect(Math.abs(node.lagBlocks ?? NaN), `${id}/${node.id}`).toBeLessThanOrEqual(6);
    }
    const metrics = await (await fetch(`${world.collector.url}/metrics`)).text();
    expect(metrics).toMatch(/^highwater_rpc_duration_seconds\{.*method="/m);
    expect(metrics).toMatch(/^highwater_head_height\{/m);
    if (shotsFolder !== undefined)
      await promisify(execFile)('node', [shots, world.site.url, shotsFolder, name]);
  });
});
