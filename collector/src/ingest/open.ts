import { openNote } from '@highwater/config/keys.ts';
import type { Instant } from '@highwater/config/time.ts';
import type { Watched } from '../watched.ts';
import { refuse, type IngestAnswer } from './answer.ts';

/** Whatever a probe signs says which log it is for and who says it. */
interface Said {
  readonly origin: string;
  readonly probe: string;
}

/**
 * Opens a note of an enrolled probe and reads its text. Refuses with 401 an unknown, revoked or wrong key and a
 * name that is not the key's, with 400 what is malformed or meant for another log.
 */
export function openSaid<T extends Said>(
  watched: Watched,
  note: string,
  parse: (text: string) => T | { error: string },
  now: Instant,
): { said: T } | { refusal: IngestAnswer } {
  const opened = openNote(note, watched.verifiers);
  if ('error' in opened) {
    if (opened.code === 'malformed') return { refusal: refuse(400, now, opened.error) };
    const remedy = "put the probe's verifier key under probes: in the configuration";
    return { refusal: refuse(401, now, opened.error, { remedy }) };
  }
  const said = parse(opened.text);
  if ('error' in said) return { refusal: refuse(400, now, said.error) };
  if (said.origin !== watched.config.origin) {
    const error = `the text is for the log ${said.origin}, this is ${watched.config.origin}`;
    return { refusal: refuse(400, now, error) };
  }
  if (said.probe !== opened.verifier.name) {
    const error = `the key of ${opened.verifier.name} signed as ${said.probe}`;
    return { refusal: refuse(401, now, error) };
  }
  return { said };
}
