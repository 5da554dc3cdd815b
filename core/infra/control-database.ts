import type { Db, MongoClient } from 'mongodb';

/** Of connections whose tenants have databases of their own: what all of them share stands here. */
const CONTROL = new WeakMap<MongoClient, string>();

/** From now on collections whose home is the control database are opened there, whoever asks. */
export function setControlDatabase(client: MongoClient, name: string): void {
  CONTROL.set(client, name);
}

/** The database of what all cells share; without another one the one that is asked. */
export function controlDatabaseOf(db: Db): Db {
  const name = CONTROL.get(db.client);
  return name === undefined || name === db.databaseName ? db : db.client.db(name);
}
