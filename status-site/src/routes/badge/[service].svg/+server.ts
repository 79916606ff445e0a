import { text } from '@sveltejs/kit';
import { makeBadge } from 'badge-maker';
import { badgeFor } from '#lib/badge.ts';
import { xmlSafe } from '#lib/escape.ts';
import { frameOf } from '#lib/server/frame.ts';
import type { RequestHandler } from './$types';

export const GET: RequestHandler = ({ platform, params, url }) => {
  const { searchParams: query } = url;
  const answer = badgeFor(params.service, query.get('metric'), frameOf(platform), query.get('period'));
  if ('error' in answer) {
    const headers = { 'content-type': 'text/plain; charset=utf-8' };
    return text(`${answer.error}\n`, { status: answer.status, headers });
  }
  const { label, message, color } = answer.badge;
  const svg = makeBadge({ label: xmlSafe(label), message: xmlSafe(message), color });
  return new Response(svg, { headers: { 'content-type': 'image/svg+xml; charset=utf-8' } });
};
