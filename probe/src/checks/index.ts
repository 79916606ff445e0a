/** The table of checks: a new kind is its file, its test and one line here. */
import type { AnyCheckKind } from '@highwater/config/kinds.ts';
import { dns } from './dns.ts';
import { head } from './head.ts';
import { http } from './http.ts';
import { jsonrpc } from './jsonrpc.ts';
import { tcp } from './tcp.ts';
import { tls } from './tls.ts';
import { websocket } from './websocket.ts';

export const checks: Readonly<Record<string, AnyCheckKind>> = {
  http,
  jsonrpc,
  websocket,
  head,
  tls,
  tcp,
  dns,
};
