/**
 * A process of its own for one contender, so that none is slowed by what another made of a shared library's functions or
 * left to the garbage collector: `worker.ts MODULE ASKED`. Each message asks for a number of calls; the answer is the CPU
 * of the whole process meanwhile, in microseconds.
 */
import { cpuMicroseconds } from '../bench.ts';
import type { Asked, Open } from './asked.ts';
import { callMany } from './in-flight.ts';

const [module = '', asked = ''] = process.argv.slice(2);
const { open } = (await import(module)) as { open: Open };
const work = await open(JSON.parse(asked) as Asked);

const run = async (calls: number) => {
  const total = await cpuMicroseconds(async () => {
    await callMany(work.call, calls);
    await work.settled?.();
  });
  process.send?.(total);
};
process.on('message', (calls: number) => void run(calls));
process.on('disconnect', () => void Promise.resolve(work.close?.()).then(() => process.exit()));
