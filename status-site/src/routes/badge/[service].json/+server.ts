import { json } from '@sveltejs/kit';
import { badgeFor } from '#lib/badge.ts';
import { frameOf } from '#lib/server/frame.ts';
import type { RequestHandler } from './$types';

/** https://shields.io/badges/endpoint-badge: unknown keys and an empty message are refused there. */
export const GET: RequestHandler = ({ platform, params, url }) => {
  const { searchParams: query } = url;
  const answer = badgeFor(params.service, query.get('metric'), frameOf(platform), query.get('period'));
  if ('error' in answer) return json({ error: answer.error }, { status: answer.status });
  return json({ schemaVersion: 1, ...answer.badge });
};
