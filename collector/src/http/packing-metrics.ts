/** What Prometheus reads of packing and retention. */
import { Counter, type Registry } from 'prom-client';
import type { PackingFigures } from '../packing/packing.ts';

/** Registers the counters; what is counted in the figures is what they say. */
export function packingMetrics(registers: Registry[]): PackingFigures {
  const figures: PackingFigures = {
    objects: 0,
    lines: 0,
    bytes: 0,
    bodyBytes: 0,
    failed: 0,
    droppedPacks: 0,
    droppedBlocks: 0,
  };
  const counter = (name: string, help: string, of: keyof PackingFigures): Counter =>
    new Counter({
      name: `highwater_packed_${name}_total`,
      help,
      registers,
      collect() {
        this.reset();
        this.inc(figures[of]);
      },
    });
  counter('objects', 'Objects of packed bodies that were written', 'objects');
  counter('observations', 'Observations in objects of packed bodies that were written', 'lines');
  counter('bytes', 'Bytes of objects of packed bodies that were written', 'bytes');
  counter('body_bytes', 'Bytes of the bodies in objects that were written', 'bodyBytes');
  counter('failures', "Services' days that could not be packed, and stay as they were", 'failed');
  counter('dropped_objects', 'Objects of packed bodies that retention let go', 'droppedPacks');
  counter('dropped_blocks', 'Blocks of slots, totals and latencies that retention let go', 'droppedBlocks');
  return figures;
}
