import { rss } from '#lib/feed.ts';
import { frameOf } from '#lib/server/frame.ts';
import type { RequestHandler } from './$types';

export const GET: RequestHandler = ({ platform }) =>
  new Response(rss(frameOf(platform)), { headers: { 'content-type': 'application/rss+xml; charset=utf-8' } });
