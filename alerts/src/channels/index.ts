/** THE TABLE of channels: a new kind is a new file, its test, and one line here. */
import type { AnyChannelKind } from '@highwater/config/kinds.ts';
import { discord } from './discord.ts';
import { email } from './email.ts';

export const channels: Readonly<Record<string, AnyChannelKind>> = { discord, email };
