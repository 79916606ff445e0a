import { atom } from '#lib/feed.ts';
import { frameOf } from '#lib/server/frame.ts';
import type { RequestHandler } from './$types';

export const GET: RequestHandler = ({ platform }) =>
  new Response(atom(frameOf(platform)), {
    headers: { 'content-type': 'application/atom+xml; charset=utf-8' },
  });
