import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { createTestDatabase, freePort, type TestDatabase } from '@foldwork/testing';
import { Client } from 'pg';
import { createLogger } from '../logging/logger';
import { ALL_MIGRATIONS } from './all-migrations';
import { prepareSchema } from './prepare-schema';
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
  const migrated = prepareSchema({ databaseUrl: elsewhere.href, migrate: true }, loggerTo(warned.resolve));
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
  await expect(prepareSchema({ databaseUrl: nowhere.href, migrate: true }, loggerTo((line) => lines.push(line)))).rejects.toThrow(/^the database of FOLDWORK_DATABASE_URL, at .*\/nowhere, cannot be used: database "nowhere" does not exist$/);
  expect(lines).toEqual([]);
});

describe('a schema that is not the one of this version', () => {
  const prepare = (migrate: boolean, databaseUrl = database.url) => prepareSchema({ databaseUrl, migrate }, loggerTo(() => undefined));
  const change = async (...statements: readonly string[]): Promise<void> => {
    const client = new Client({ connectionString: database.url });
    await client.connect();
    for (const statement of statements) await client.query(statement);
    await client.end();
  };
  const last = ALL_MIGRATIONS.at(-1)?.name ?? '';

  it.each([true, false])('is refused when it is newer, with what to do about it (FOLDWORK_MIGRATE: %s)', async (migrate) => {
    await prepare(true);
    await change(`INSERT INTO foldwork_migrations (timestamp, name) VALUES (1999999999999, 'Later1999999999999')`);
    await expect(prepare(migrate)).rejects.toThrow(/cannot be used: the schema of the database is newer than this version of Foldwork, which does not know Later1999999999999\. Start the version .* or a later one\.$/);
  });

  it('is refused also by a service that waited while the newer one was at it', async () => {
    await prepare(true);
    await change(`DELETE FROM foldwork_migrations WHERE name = '${last}'`);
    const newer = new Client({ connectionString: database.url });
    await newer.connect();
    await newer.query(`SELECT pg_advisory_lock(7381240356830343787)`);
    const refused = expect(prepare(true)).rejects.toThrow(/newer than this version/);
    await locksWaitedFor(newer);
    await newer.query(`INSERT INTO foldwork_migrations (timestamp, name) VALUES (1, '${last}'), (1999999999999, 'Later1999999999999')`);
    await newer.end();
    await refused;
  });

  it('is refused when it is missing or older and nobody may bring it up to date, with what to do about it', async () => {
    const message = (name: string) => new RegExp(`cannot be used: the schema of the database is missing or older than this version of Foldwork \\(${name} has not run\\)\\. Start one service .* FOLDWORK_MIGRATE=on`);
    await expect(prepare(false)).rejects.toThrow(message(ALL_MIGRATIONS[0]?.name ?? ''));
    await prepare(true);
    await expect(prepare(false)).resolves.toBeUndefined();
    await change(`DELETE FROM foldwork_migrations WHERE name = '${last}'`);
    await expect(prepare(false)).rejects.toThrow(message(last));
  });

  it('is seen by a user who may do no more than a service, before and after he may look', async () => {
    await prepare(true);
    const guest = new URL(database.url);
    [guest.username, guest.password] = [`guest_${guest.pathname.slice(1)}`, 'x'];
    await change(`CREATE ROLE ${guest.username} LOGIN NOINHERIT PASSWORD 'x' IN ROLE foldwork_app`);
    try {
      await expect(prepare(false, guest.href)).resolves.toBeUndefined();
      await change('REVOKE SELECT ON foldwork_migrations FROM foldwork_app');
      await expect(prepare(false, guest.href)).rejects.toThrow(/missing or older/);
    } finally {
      await change(`DROP ROLE ${guest.username}`);
    }
  });
});

/** Resolves when somebody stands in line for the lock of this connection's database. */
const locksWaitedFor = async (client: Client): Promise<void> => {
  for (;;) {
    const { rowCount } = await client.query(`SELECT FROM pg_locks WHERE locktype = 'advisory' AND NOT granted AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`);
    if (rowCount === 1) return;
  }
};
