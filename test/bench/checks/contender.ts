/** Who is compared: something that makes checks and tells what CPU they cost. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import type { Asked } from './asked.ts';

export interface Contender extends AsyncDisposable {
  readonly name: string;
  /** Makes so many checks and gives the microseconds of CPU that they cost it. */
  run(checks: number): Promise<number>;
}

/** A contender that is one of this bench's modules, in a process of its own, with these flags of Node. */
export function inWorker(
  name: string,
  module: `./${string}.ts`,
  asked: Asked,
  flags: readonly string[] = [],
): Contender {
  const worker = new URL('worker.ts', import.meta.url);
  const child = fork(worker, [module, JSON.stringify(asked)], { execArgv: [...flags] });
  const ended = once(child, 'exit').then(() => {
    throw new Error(`${name}: its process has ended`);
  });
  ended.catch(() => undefined);
  return {
    name,
    async run(checks) {
      child.send(checks);
      const [total] = (await Promise.race([once(child, 'message'), ended])) as [number];
      return total;
    },
    async [Symbol.asyncDispose]() {
      if (child.connected) child.disconnect();
      await ended.catch(() => undefined);
    },
  };
}
