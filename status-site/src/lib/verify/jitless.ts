/** Imported before any schema: zod would make its parsers of text, which the page's security policy forbids. */
import { config } from 'zod';

config({ jitless: true });
