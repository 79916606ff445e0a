/** A slot as one byte: as the count of a report has it. */
export * from '@highwater/config/proof/rule/slot-byte.ts';
