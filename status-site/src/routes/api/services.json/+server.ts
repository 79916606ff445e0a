import { json } from '@sveltejs/kit';
import { frameOf } from '#lib/server/frame.ts';
import { servicesAnswer } from '#lib/services.ts';
import type { RequestHandler } from './$types';

export const GET: RequestHandler = ({ platform }) => json(servicesAnswer(frameOf(platform)));
