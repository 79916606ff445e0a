import { describe, expect, it } from 'vitest';
import { faultMeanings } from '@highwater/config/faults.ts';
import { serveHttp } from '../testing/servers.ts';
import { testCheck, verdictOf } from '../testing/check.ts';
import { fault } from './fault.ts';
import { outcomeOf } from './refusal.ts';

describe('what a fault counts as where refusals are skipped', () => {
  it('is skipped for refusals, and for nothing else of the list', () => {
    const skipped = Object.keys(faultMeanings).filter(
      (id) => outcomeOf({ outcome: 'fail', fault: fault(id) }, 'skip') === 'skipped',
    );
    expect(skipped).toEqual(['target.http.refused', 'target.rpc.limit', 'target.ws.refused']);
    expect(skipped.map((id) => outcomeOf({ outcome: 'fail', fault: fault(id) }, undefined))).toEqual([
      'fail',
      'fail',
      'fail',
    ]);
    expect(outcomeOf({ outcome: 'ok' }, 'skip')).toBe('ok');
  });
});

describe('an answer that', () => {
  const limited = '{"jsonrpc":"2.0","id":ID,"error":{"code":-32005,"message":"daily limit reached"}}';
  const methods = { methods: [{ method: 'a' }, { method: 'b' }] };
  it.each<[string, string, object, number, string, string, string]>([
    ['is 429', 'http', {}, 429, '', 'fail target.http.refused', 'skipped target.http.refused'],
    ['is 403', 'http', {}, 403, '', 'fail target.http.refused', 'skipped target.http.refused'],
    ['is 401', 'http', {}, 401, '', 'fail target.http.status', 'fail target.http.status'],
    ['is 503', 'http', {}, 503, '', 'fail target.http.status', 'fail target.http.status'],
    ['is 429, as expected', 'http', { status: 429 }, 429, '', 'ok', 'ok'],
    ['is 429 to a call', 'jsonrpc', methods, 429, '', 'fail target.rpc.limit', 'skipped target.rpc.limit'],
    [
      'is 403 to a call',
      'jsonrpc',
      methods,
      403,
      '',
      'fail target.http.refused',
      'skipped target.http.refused',
    ],
    ['is a limit', 'jsonrpc', methods, 200, limited, 'fail target.rpc.limit', 'skipped target.rpc.limit'],
    [
      'is a 429 to an upgrade',
      'websocket',
      {},
      429,
      '',
      'fail target.ws.refused',
      'skipped target.ws.refused',
    ],
    [
      'is a 403 to an upgrade',
      'websocket',
      {},
      403,
      '',
      'fail target.ws.refused',
      'skipped target.ws.refused',
    ],
    ['is a 502 to an upgrade', 'websocket', {}, 502, '', 'fail target.ws.upgrade', 'fail target.ws.upgrade'],
  ])('%s', async (_, kind, settings, status, body, failing, skipping) => {
    await using server = await serveHttp((request, response) => {
      const pieces: Buffer[] = [];
      request.on('data', (piece: Buffer) => pieces.push(piece));
      request.on('end', () => {
        const { id } = JSON.parse(Buffer.concat(pieces).toString() || '{}') as { id?: number };
        response.writeHead(status).end(body.replace('ID', String(id)));
      });
    });
    const verdicts = [];
    for (const refusals of [undefined, 'skip'] as const) {
      using check = testCheck(kind, server.url, settings);
      Object.assign(check.prepared.monitor, refusals === undefined ? {} : { refusals });
      const seen = await check.run();
      verdicts.push(verdictOf(seen));
      if (kind === 'http') expect(seen.facts).toMatchObject({ sc: String(status) });
    }
    expect(verdicts).toEqual([failing, skipping]);
  });

  it('is a limit beside one that is wrong: the wrong one is what is told', async () => {
    let asked = 0;
    await using server = await serveHttp((request, response) => {
      asked += 1;
      if (asked === 1) return void response.writeHead(429).end();
      response.writeHead(500).end();
      request.resume();
    });
    using check = testCheck('jsonrpc', server.url, methods);
    Object.assign(check.prepared.monitor, { refusals: 'skip' });
    expect(verdictOf(await check.run())).toBe('fail target.http.status');
  });
});
