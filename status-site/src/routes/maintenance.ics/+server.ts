import { calendar } from '#lib/calendar.ts';
import { frameOf } from '#lib/server/frame.ts';
import type { RequestHandler } from './$types';

export const GET: RequestHandler = ({ platform }) =>
  new Response(calendar(frameOf(platform)), { headers: { 'content-type': 'text/calendar; charset=utf-8' } });
