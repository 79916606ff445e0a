/** The whole schema with the kinds' settings in place, and the JSON Schema made from it: `highwater config schema`. */
import { z } from 'zod';
import { bare } from './decode.ts';
import { control, key } from './fields.ts';
import type { Tables } from './kinds.ts';
import { alertsSchema, channelSchema, policySchema } from './schema-alerts.ts';
import {
  chainSchema,
  checkSchema,
  nodeSchema,
  probeSchema,
  publicSchema,
  regionSchema,
  serviceSchema,
  topSchema,
} from './schema.ts';
import { witnessSchema, witnessesSchema } from './schema-witnesses.ts';

/** The same with the kinds' settings in place: for the JSON Schema and the docs, not for decoding. */
export function fullSchema(tables: Tables) {
  const check = union(Object.values(tables.checks).map((kind) => kindEntry(checkSchema, kind)));
  const channel = union(Object.values(tables.channels).map((kind) => kindEntry(channelSchema, kind)));
  const checks = key(z.array(check).optional(), serviceSchema.shape.checks.description ?? '');
  const service = z.strictObject({
    ...serviceSchema.shape,
    nodes: key(z.array(nodeSchema), serviceSchema.shape.nodes.description ?? ''),
    checks,
    public: key(
      z
        .strictObject({
          ...publicSchema.shape,
          checks: key(z.array(check).optional(), publicSchema.shape.checks.description ?? ''),
        })
        .optional(),
      serviceSchema.shape.public.description ?? '',
    ),
  });
  const described = (name: keyof typeof topSchema.shape) => topSchema.shape[name].description ?? '';
  return z.strictObject({
    ...topSchema.shape,
    witnesses: key(
      z
        .strictObject({
          ...witnessesSchema.shape,
          list: key(z.array(witnessSchema), witnessesSchema.shape.list.description ?? ''),
        })
        .optional(),
      described('witnesses'),
    ),
    regions: key(z.array(regionSchema).optional(), described('regions')),
    probes: key(z.array(probeSchema).default([]), described('probes')),
    chains: key(z.record(z.string(), chainSchema).default({}), described('chains')),
    controls: key(
      z.array(control).default([]),
      described('controls'),
      topSchema.shape.controls.meta()?.['examples'],
    ),
    services: key(z.array(service), described('services')),
    alerts: key(
      z
        .strictObject({
          channels: key(z.array(channel).default([]), alertsSchema.shape.channels.description ?? ''),
          policies: key(z.array(policySchema).default([]), alertsSchema.shape.policies.description ?? ''),
        })
        .prefault({}),
      described('alerts'),
    ),
  });
}

function kindEntry(
  common: z.ZodObject,
  kind: { kind: string; summary: string; settings: z.ZodType },
): z.ZodObject {
  // What a kind makes of its settings as a whole does not matter here.
  const settings = bare(kind.settings);
  const own = settings instanceof z.ZodObject ? (settings.shape as z.ZodRawShape) : {};
  const shape = { ...common.shape, kind: z.literal(kind.kind), ...own };
  return z.strictObject(shape).meta({ title: kind.kind, description: kind.summary });
}

function union(entries: z.ZodObject[]): z.ZodType {
  return entries.length === 0 ? z.never() : z.union(entries);
}

/** The JSON Schema (2020-12) of what an operator may write. */
export function configJsonSchema(tables: Tables): Record<string, unknown> {
  const { $schema, ...rest } = z.toJSONSchema(fullSchema(tables), { io: 'input', unrepresentable: 'any' });
  return { $schema, title: 'Highwater configuration', ...rest };
}
