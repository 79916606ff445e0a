/** The tables that the composition root hands to config/load.ts: all kinds of checks and channels there are. */
import type { Tables } from '@highwater/config/kinds.ts';
import { channels } from '../alerts/src/channels/index.ts';
import { checks } from '../probe/src/checks/index.ts';

export const tables: Tables = { checks, channels };
