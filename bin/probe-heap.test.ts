import { describe, expect, it } from 'vitest';
import { heapFlagsFor, probeHeapFlags } from './probe-heap.ts';

const [young = '', old = ''] = probeHeapFlags;
const role = ['probe', '--id', 'eu-1'];

describe('a heap of its own', () => {
  it.each([
    ['for the role', role, [], '', [young, old]],
    [
      'beside what else Node is told',
      role,
      ['--inspect', '--enable-source-maps'],
      '--no-warnings',
      [young, old],
    ],
    ['not twice', role, probeHeapFlags, '', []],
    ['not over the operator’s', role, [], '--max-old-space-size=2048', [young]],
    ['not over the operator’s, as V8 writes it', role, [], '--x "--max_old_space_size=2048"', [young]],
    ['not over the operator’s on the line', role, ['--max-semi-space-size=1'], '', [old]],
    ['not to make a key', ['probe', 'keygen', '--id', 'a'], [], '', []],
    ['not to enroll', ['probe', 'enroll', 'a+b+c'], [], '', []],
    ['not to explain', ['probe', '--help'], [], '', []],
    ['not for others', ['collector'], [], '', []],
  ])('%s', (_, args, execArgv, nodeOptions, flags) => {
    expect(heapFlagsFor(args, execArgv, nodeOptions)).toEqual(flags);
  });
});
