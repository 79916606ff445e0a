import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { bare, metaOf } from '@highwater/config/decode.ts';
import { fullSchema } from '@highwater/config/json-schema.ts';
import { plannedChannels, plannedKinds } from '@highwater/config/planned.ts';
import { channelSchema } from '@highwater/config/schema-alerts.ts';
import { checkSchema } from '@highwater/config/schema.ts';
import { tables } from './tables.ts';

/** Every key that an operator may write, with its schema. */
function keysOf(schema: z.ZodType, path = ''): [string, z.ZodType][] {
  const inside = bare(schema);
  if (inside instanceof z.ZodArray) return keysOf(inside.element as z.ZodType, `${path}[]`);
  if (inside instanceof z.ZodRecord) return keysOf(inside.valueType as z.ZodType, `${path}.NAME`);
  if (inside instanceof z.ZodUnion)
    return (inside.options as z.ZodType[]).flatMap((option) => keysOf(option, path));
  if (!(inside instanceof z.ZodObject)) return [];
  return Object.entries(inside.shape as Record<string, z.ZodType>).flatMap(([name, field]) => [
    [`${path}.${name}`, field] as [string, z.ZodType],
    ...keysOf(field, `${path}.${name}`),
  ]);
}

describe('the tables of kinds', () => {
  it('are keyed by the name of each kind', () => {
    for (const [name, kind] of [...Object.entries(tables.checks), ...Object.entries(tables.channels)]) {
      expect(kind.kind).toBe(name);
      expect(kind.summary).toMatch(/^[A-Z].*\.$/);
    }
  });

  it('hold names of the contract only', () => {
    for (const name of Object.keys(tables.checks)) expect(plannedKinds).toContain(name);
    for (const name of Object.keys(tables.channels)) expect(plannedChannels).toContain(name);
  });

  it.each([
    ...Object.values(tables.checks).map((kind) => [kind.kind, kind.settings, checkSchema] as const),
    ...Object.values(tables.channels).map((kind) => [kind.kind, kind.settings, channelSchema] as const),
  ])('%s has no key of its own that every entry has already', (_, settings, common) => {
    const own = keysOf(settings).map(([path]) => path);
    for (const name of Object.keys(common.shape)) expect(own).not.toContain(`.${name}`);
  });

  it.each(Object.values(tables.checks))('$kind has its own keys in the whole schema', ({ settings }) => {
    const whole = new Set(keysOf(fullSchema(tables)).map(([path]) => path));
    const own = keysOf(settings).map(([path]) => `.services[].checks[]${path}`);
    expect(own.length).toBeGreaterThan(0);
    expect(own.filter((path) => !whole.has(path))).toEqual([]);
  });

  it('describe every key that may be written', () => {
    const keys = keysOf(fullSchema(tables)).filter(([path]) => !path.endsWith('.kind'));
    expect(keys.length).toBeGreaterThan(60);
    expect(keys.filter(([, field]) => !metaOf(field)?.description).map(([path]) => path)).toEqual([]);
  });
});
