import { json } from '@sveltejs/kit';
import { reportsAnswer } from '#lib/report/list.ts';
import { frameOf } from '#lib/server/frame.ts';
import type { RequestHandler } from './$types';

export const GET: RequestHandler = ({ platform }) => json(reportsAnswer(frameOf(platform)));
