import type { Db } from './open.ts';

/** Text ids as integers. Ids live in one connection's file and never leave it. */
export interface Names {
  /** Undefined when the name was never stored. */
  find(name: string): number | undefined;
  /** The id, made when new; on the writer only. */
  make(name: string): number;
  name(id: number): string;
  /** Forgets what may have been rolled back. */
  forget(): void;
}

export function openNames(db: Db): Names {
  const ids = new Map<string, number>();
  const names = new Map<number, string>();
  const byName = db.prepare<[string], number>('SELECT id FROM names WHERE name = ?').pluck();
  const byId = db.prepare<[number], string>('SELECT name FROM names WHERE id = ?').pluck();
  const insert = db.readonly ? undefined : db.prepare('INSERT INTO names (name) VALUES (?)');
  const keep = (name: string, id: number): number => {
    ids.set(name, id);
    names.set(id, name);
    return id;
  };
  const find = (name: string): number | undefined => {
    const known = ids.get(name);
    if (known !== undefined) return known;
    const id = byName.get(name);
    return id === undefined ? undefined : keep(name, id);
  };
  return {
    find,
    make(name) {
      if (insert === undefined) throw new Error('a reader makes no names');
      return find(name) ?? keep(name, Number(insert.run(name).lastInsertRowid));
    },
    name(id) {
      const known = names.get(id) ?? byId.get(id);
      if (known === undefined) throw new Error(`the store names no id ${id}`);
      keep(known, id);
      return known;
    },
    forget() {
      ids.clear();
      names.clear();
    },
  };
}
