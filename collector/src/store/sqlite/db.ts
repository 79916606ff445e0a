import type Database from 'better-sqlite3';

/** A connection to the store's file. */
export type Db = Database.Database;
