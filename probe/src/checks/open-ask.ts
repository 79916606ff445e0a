import type { CheckContext } from '@highwater/config/kinds.ts';
import type { Ask, Place } from './ask.ts';
import { openRpc } from './rpc.ts';
import { openSocketRpc } from './rpc-socket.ts';

/** The way that the check's place and the target's URL lead to. A WebSocket is opened at the first question. */
export function openAsk(ctx: CheckContext, place: Place): Ask {
  const socket =
    place.transport === undefined ? /^wss?:/.test(ctx.target.url) : place.transport === 'websocket';
  return socket ? openSocketRpc(ctx, place) : openRpc(ctx, place);
}
