/** What Prometheus reads of the witnesses. */
import type { Clock } from '@highwater/config/time.ts';
import type { Config } from '@highwater/config/model.ts';
import { Counter, Gauge, type Registry } from 'prom-client';
import { type WitnessError, type WitnessFigures, witnessErrors } from '../log/witnesses.ts';

export interface WitnessMetrics {
  /** Shows the witnesses of a configuration from 0 on. */
  watch(config: Pick<Config, 'witnesses'>): void;
  failed(witness: string, error: WitnessError): void;
  fill(figures: readonly WitnessFigures[]): void;
}

export function witnessMetrics(clock: Clock, registers: Registry[]): WitnessMetrics {
  const labelNames = ['witness'] as const;
  const size = new Gauge({
    name: 'highwater_witness_size',
    help: "Entries of the newest checkpoint of this year's log that a witness has cosigned",
    labelNames,
    registers,
  });
  const age = new Gauge({
    name: 'highwater_witness_age_seconds',
    help: 'Time since a witness last cosigned; absent before the first time',
    labelNames,
    registers,
  });
  const errors = new Counter({
    name: 'highwater_witness_errors_total',
    help: 'Requests to a witness that brought no cosignature (failed), cosignatures that did not hold (bad-cosignature), answers that knew more than this store (ahead), more than can be (absurd) or another history (forked)',
    labelNames: ['witness', 'error'] as const,
    registers,
  });
  return {
    watch({ witnesses }) {
      for (const { id } of witnesses?.list ?? []) {
        for (const error of witnessErrors) errors.inc({ witness: id, error }, 0);
      }
    },
    failed: (witness, error) => errors.inc({ witness, error }),
    fill(figures) {
      for (const gauge of [size, age]) gauge.reset();
      for (const { id, size: cosigned, cosignedAt } of figures) {
        size.set({ witness: id }, cosigned);
        if (cosignedAt !== undefined) {
          age.set({ witness: id }, Math.max(0, clock.now() - cosignedAt) / 1_000);
        }
      }
    },
  };
}
