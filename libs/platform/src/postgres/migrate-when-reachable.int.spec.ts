import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { createTestDatabase, freePort, type TestDatabase } from '@foldwork/testing';
import { createLogger } from '../logging/logger';
import { ALL_MIGRATIONS } from './all-migrations';
import { migrateWhenReachable } from './migrate-when-reachable';
import { runMigrations } from './run-migrations';

let database: TestDatabase;
beforeEach(async () => {
  database = await createTestDatabase();
});
afterEach(() => database.drop());

const loggerTo = (destination: (line: string) => void) => createLogger({ app: 'test', level: 'warn', destination: { write: destination } });

it('waits for a Postgres that is not there yet, and says where it looks', async () => {
  const { hostname, port } = new URL(database.url);
  const elsewhere = new URL(database.url);
  elsewhere.hostname = '127.0.0.1';
  elsewhere.port = String(await freePort());
  const warned = Promise.withResolvers<string>();
  const migrated = migrateWhenReachable(elsewhere.href, loggerTo(warned.resolve));
  expect(await warned.promise).toContain(`at 127.0.0.1:${elsewhere.port}${elsewhere.pathname}, is not reachable yet`);
  if (elsewhere.password !== '') expect(await warned.promise).not.toContain(elsewhere.password);

  const door = createServer((socket) => socket.pipe(connect(Number(port), hostname)).pipe(socket)).listen(Number(elsewhere.port), '127.0.0.1');
  await migrated;
  expect(await runMigrations({ databaseUrl: database.url, migrations: ALL_MIGRATIONS })).toEqual([]); // nothing is left to do
  door.close();
  await once(door, 'close');
});

it('does not wait for what will not come: a database that is not there is named', async () => {
  const nowhere = new URL(database.url);
  nowhere.pathname = '/nowhere';
  const lines: string[] = [];
  await expect(migrateWhenReachable(nowhere.href, loggerTo((line) => lines.push(line)))).rejects.toThrow(/^the database of FOLDWORK_DATABASE_URL, at .*\/nowhere, cannot be used: database "nowhere" does not exist$/);
  expect(lines).toEqual([]);
});
