/** The head of a service's chain, and how each of its nodes stands to it. Pure. */
import type { PublicNode, PublicService } from '@highwater/config/public.ts';
import { formatCount, formatSeconds, formatSpan, plural } from './format.ts';
import type { Frame } from './frame.ts';
import { lagText, lastKnown, nodeMark, type Fact } from './view.ts';
import { chainMarks, unknownMark, type Mark } from './words.ts';

export interface NodeAtHead {
  readonly id: string;
  readonly mark: Mark;
  /** `28 764 112`; empty when it is not known. */
  readonly height: string;
  /** `level`, `2 blocks (24 s) behind`; empty when it is not known. */
  readonly lag: string;
  /** `28 764 109`; empty when it is not known. */
  readonly finalized: string;
}

export interface ChainView {
  readonly name: string;
  readonly mark: Mark;
  readonly because: string;
  readonly facts: readonly Fact[];
  readonly nodes: readonly NodeAtHead[];
  /** Whether any node says what is final. */
  readonly hasFinality: boolean;
}

export function chainView(service: PublicService, frame: Frame, stale: boolean): ChainView | undefined {
  const { head } = service;
  if (!head) return undefined;
  return {
    name: head.chain,
    mark: stale ? unknownMark : chainMarks[head.state],
    because: stale ? lastKnown(chainMarks[head.state].word) : head.because,
    facts: [
      { name: 'Agreed height', value: formatCount(head.height) },
      { name: 'Age of its newest block', value: formatSpan(frame.now - head.at) },
      ...(head.blockTimeMs > 0 ? [{ name: 'A block every', value: formatSeconds(head.blockTimeMs) }] : []),
      { name: 'Agreed from', value: plural(head.nodes, 'node or reference', 'nodes and references') },
    ],
    nodes: service.nodes.map((node) => ({
      id: node.id,
      mark: nodeMark(node, stale),
      height: node.height === undefined ? '' : formatCount(node.height),
      lag: node.lagBlocks === undefined ? '' : lagText(node) || 'level',
      finalized: node.finalizedHeight === undefined ? '' : formatCount(node.finalizedHeight),
    })),
    hasFinality: service.nodes.some((node) => node.finalizedHeight !== undefined),
  };
}

/** `28 764 109, 3 blocks back`: how far the final block of a node is below its newest. */
export function finalizedText({ finalizedHeight, height }: PublicNode): string {
  if (finalizedHeight === undefined) return '';
  const back = (height ?? finalizedHeight) - finalizedHeight;
  return formatCount(finalizedHeight) + (back > 0 ? `, ${plural(back, 'block')} back` : '');
}
