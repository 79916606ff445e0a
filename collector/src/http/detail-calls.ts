/** The calls that answer with counted minutes. */
import { publicServiceDetail } from '@highwater/config/public-detail.ts';
import type { Details } from '../answers/detail.ts';
import { HttpError, type Reply } from './reply.ts';
import type { Call, Route } from './routes.ts';

export interface DetailCalls {
  readonly details: Details;
}

async function detailCall({ details }: DetailCalls, call: Call): Promise<Reply> {
  const id = call.params['id'] ?? '';
  const kept = await details.of(id);
  // That there is a private one by this name is told to nobody.
  if (kept === undefined) throw new HttpError(404, `there is no public service ${id.slice(0, 100)}`);
  const { bytes, etag } = kept;
  const headers = { 'content-type': 'application/json; charset=utf-8', etag, 'cache-control': 'no-cache' };
  if (call.request.headers['if-none-match'] === etag) return { status: 304, headers };
  return { status: 200, body: bytes, headers };
}

export function detailRoutes(parts: DetailCalls): Route[] {
  return [
    {
      method: 'GET',
      path: '/v1/services/:id',
      access: 'read',
      says: {
        summary: 'Numbers and charts of one public service',
        gives: { 'application/json': publicServiceDetail },
      },
      handle: (call) => detailCall(parts, call),
    },
  ];
}
