/**
 * The same question as plain SQL: all rows of one monitor, and rows by hour of all of them. So that the bench does not take
 * an hour, the plain table holds one monitor alone, which favours it.
 */
import Database from 'better-sqlite3';
import { MINUTES_PER_DAY } from '@highwater/config/time.ts';

export interface RawSize {
  readonly monitors: number;
  readonly regions: number;
  /** UTC day number. */
  readonly first: number;
  readonly days: number;
}

export function fillRaw(file: string, { monitors, regions, first, days }: RawSize): void {
  const db = new Database(file);
  db.pragma('synchronous = OFF');
  db.exec(`
    CREATE TABLE raw (monitor INTEGER, region INTEGER, minute INTEGER, is_up INTEGER, tenths INTEGER) STRICT;
    CREATE TABLE hourly (monitor INTEGER, hour INTEGER, up INTEGER, down INTEGER, unknown INTEGER,
      PRIMARY KEY (monitor, hour)) STRICT, WITHOUT ROWID;
  `);
  const addRaw = db.prepare('INSERT INTO raw VALUES (0, ?, ?, ?, 1234)');
  const addHour = db.prepare('INSERT INTO hourly VALUES (?, ?, ?, ?, 0)');
  db.transaction(() => {
    for (let minute = first * MINUTES_PER_DAY; minute < (first + days) * MINUTES_PER_DAY; minute += 1) {
      for (let region = 0; region < regions; region += 1)
        addRaw.run(region, minute, minute % 97 === 0 ? 0 : 1);
    }
    for (let monitor = 0; monitor < monitors; monitor += 1) {
      for (let hour = first * 24; hour < (first + days) * 24; hour += 1) {
        const down = (hour + monitor) % 360 === 0 ? 30 : 0;
        addHour.run(monitor, hour, 60 - down, down);
      }
    }
  })();
  db.exec('CREATE INDEX raw_monitor ON raw (monitor, minute)');
  db.close();
}

export interface Raw {
  readonly rows: number;
  /** 90 days of the monitor, by row. */
  one(): void;
  /** 90 days of all monitors, by hour. */
  page(): void;
  close(): void;
}

export function openRaw(file: string): Raw {
  const db = new Database(file, { readonly: true });
  const one = db.prepare(
    'SELECT minute / 1440 day, sum(is_up) up, count(*) counted FROM raw WHERE monitor = 0 GROUP BY day',
  );
  const page = db.prepare(
    'SELECT monitor, hour / 24 day, sum(up) up, sum(down) down, sum(unknown) unknown FROM hourly GROUP BY monitor, day',
  );
  return {
    rows: db.prepare<[], number>('SELECT count(*) FROM raw').pluck().get() ?? 0,
    one: () => void one.all(),
    page: () => void page.all(),
    close: () => void db.close(),
  };
}
