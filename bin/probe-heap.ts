/**
 * Flags of Node for a probe. It makes much garbage and keeps little, and V8 sizes its heap by the machine: with the
 * defaults of a large one, 10,000 monitors take twice the memory, for no less work. Megabytes; the live heap of
 * 10,000 monitors is about 75. What is under way survives each collection of the young generation, about 48 kB a check: in
 * one of 8 MB that costs a quarter of all work at 64 checks under way, in one of 32 MB hardly any. The old one holds 15,000
 * checks that wait for their deadline, as 30,000 monitors make of an outage of all.
 */
export const probeHeapFlags: readonly string[] = ['--max-semi-space-size=32', '--max-old-space-size=1024'];

/** Those that these arguments of a command need and that nobody has set: what the operator says of the heap holds. */
export function heapFlagsFor(
  args: readonly string[],
  execArgv: readonly string[] = process.execArgv,
  nodeOptions: string = process.env['NODE_OPTIONS'] ?? '',
): string[] {
  const [command, first] = args;
  const isRole = command === 'probe' && first !== 'keygen' && first !== 'enroll' && !args.includes('--help');
  if (!isRole) return [];
  const given = new Set([...execArgv, ...nodeOptions.split(/\s+/)].map(nameOf));
  return probeHeapFlags.filter((flag) => !given.has(nameOf(flag)));
}

/** V8 takes `_` for `-`. */
function nameOf(flag: string): string {
  return flag.replace(/=.*/s, '').replaceAll('_', '-').replaceAll('"', '');
}
