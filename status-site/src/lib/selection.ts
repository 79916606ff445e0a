/** What of a service's page is asked for by its address, since charts are chosen by links and not by a script. Pure. */

export interface Selection {
  readonly node?: string;
  /** `*` is every answer. */
  readonly method?: string;
  readonly region?: string;
}

const names = ['node', 'method', 'region'] as const;

export function selectionOf(query: URLSearchParams): Selection {
  const told = names.flatMap((name) => {
    const value = query.get(name);
    return value === null ? [] : [[name, value] as const];
  });
  return Object.fromEntries(told);
}

/** `/services/rpc?method=eth_call#latency` */
export function addressOf(service: string, selection: Selection, section: string): string {
  const query = names.flatMap((name) => {
    const value = selection[name];
    return value === undefined ? [] : `${name}=${encodeURIComponent(value)}`;
  });
  return `/services/${encodeURIComponent(service)}${query.length > 0 ? `?${query.join('&')}` : ''}#${section}`;
}

export interface Choice {
  readonly name: string;
  readonly href: string;
  readonly isChosen: boolean;
}
