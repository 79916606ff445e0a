import { json } from '@sveltejs/kit';
import { frameOf } from '#lib/server/frame.ts';
import { statuspageAnswers } from '#lib/statuspage.ts';
import type { RequestHandler } from './$types';

export const GET: RequestHandler = ({ platform, params }) => {
  const answer = Object.hasOwn(statuspageAnswers, params.name) ? statuspageAnswers[params.name] : undefined;
  if (!answer)
    return json({ error: `not found: one of ${Object.keys(statuspageAnswers).join(', ')}` }, { status: 404 });
  return json(answer(frameOf(platform)));
};
