import { json } from '@sveltejs/kit';
import { frameOf } from '#lib/server/frame.ts';
import { serviceAnswer } from '#lib/services.ts';
import type { RequestHandler } from './$types';

export const GET: RequestHandler = ({ platform, params }) => {
  const answer = serviceAnswer(params.id, frameOf(platform));
  return answer ? json(answer) : json({ error: 'no service has this name' }, { status: 404 });
};
