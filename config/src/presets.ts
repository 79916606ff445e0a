/**
 * The checks that a service of a family gets when it declares none, as an operator would write them.
 * `head` shows whether the node follows the chain; `calls` whether it answers users, with parameters that vary so that
 * no cache can flatter; `websocket` whether it pushes blocks, where the family serves both on one address.
 */
type Written = Readonly<Record<string, unknown>>;

const head: Written = { kind: 'head', every: '30s' };
const websocket: Written = { kind: 'websocket', every: '1m' };

const calls = (methods: readonly Written[]): Written => ({
  kind: 'jsonrpc',
  id: 'calls',
  every: '1m',
  methods,
});

export const familyPresets: Readonly<Record<string, readonly Written[]>> = {
  evm: [
    head,
    calls([
      { method: 'eth_blockNumber' },
      { method: 'eth_getBalance', params: ['0x0000000000000000000000000000000000000000', 'latest'] },
      { method: 'eth_getBlockByNumber', params: ['{{head-random 10..100}}', false], type: 'object' },
    ]),
  ],
  substrate: [
    head,
    calls([
      { method: 'chain_getHeader', at: 'number', type: 'string' },
      { method: 'chain_getBlockHash', params: ['{{head-random 10..1000}}'], type: 'string' },
      { method: 'state_getRuntimeVersion', at: 'specVersion', type: 'number' },
    ]),
    websocket,
  ],
  graphene: [
    head,
    calls([
      {
        id: 'get_objects',
        method: 'call',
        params: ['database', 'get_objects', [['2.1.0']]],
        at: '0.head_block_number',
      },
      {
        id: 'get_block',
        method: 'call',
        params: ['database', 'get_block', ['{{head-random 10..1000}}']],
        at: 'witness',
      },
      {
        id: 'get_accounts',
        method: 'call',
        params: ['database', 'get_accounts', [['1.2.{{random 0..1000}}']]],
        type: 'array',
      },
    ]),
    websocket,
  ],
  algorand: [
    head,
    calls([
      { id: 'params', get: '/v2/transactions/params', at: 'last-round', type: 'number' },
      {
        id: 'block',
        get: '/v2/blocks/{{head-random 2..900}}?header-only=true',
        at: 'block.rnd',
        type: 'number',
      },
    ]),
  ],
  cosmos: [
    head,
    calls([
      { method: 'status', at: 'sync_info.latest_block_height', type: 'string' },
      {
        method: 'header',
        params: { height: '{{head-random 10..1000}}' },
        at: 'header.height',
        type: 'string',
      },
    ]),
  ],
  solana: [
    head,
    calls([
      { method: 'getLatestBlockhash', at: 'value.blockhash', type: 'string' },
      { method: 'getBalance', params: ['11111111111111111111111111111111'], at: 'value', type: 'number' },
    ]),
  ],
  bitcoin: [
    head,
    calls([
      { method: 'getblockcount', type: 'number' },
      { method: 'getblockhash', params: ['{{head-random 10..1000}}'], type: 'string' },
    ]),
  ],
};

/** The check of a service's public name, and of a chain's references, when none is declared. */
export const headPreset: Written = head;
