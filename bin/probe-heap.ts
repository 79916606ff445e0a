/**
 * Flags of Node for a probe. It makes much garbage and keeps little, and V8 sizes its heap by the machine: with the
 * defaults of a large one, 10,000 monitors take twice the memory, for no less work. Megabytes; the live heap of
 * 10,000 monitors is about 75.
 */
export const probeHeapFlags: readonly string[] = ['--max-semi-space-size=8', '--max-old-space-size=512'];
