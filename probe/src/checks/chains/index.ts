/** The table of chain families: one file each. */
import { evm } from './evm.ts';
import type { ChainFamily } from './family.ts';

export const families: Readonly<Record<string, ChainFamily>> = { evm };
