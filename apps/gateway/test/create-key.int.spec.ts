import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { createPool } from '@foldwork/platform';
import { isStoredApiKey } from '@foldwork/platform/http';
import { createTestDatabase, type TestDatabase } from '@foldwork/testing';

let database: TestDatabase;
beforeEach(async () => {
  database = await createTestDatabase();
});
afterEach(() => database.drop());

const createKey = () =>
  promisify(execFile)(process.execPath, ['dist/apps/gateway/src/create-key.main.js', '--name', 'me', '--role', 'admin'], { env: { FOLDWORK_DATABASE_URL: database.url } });

it('makes a key also where no service has been started yet, and prints nothing else', async () => {
  const [first, second] = [await createKey(), await createKey()];
  const pool = createPool({ databaseUrl: database.url, maximum: 1, applicationName: 'test' });
  for (const { stdout } of [first, second]) expect(await isStoredApiKey(pool, stdout.trim())).toBe(true);
  expect(first.stdout).not.toBe(second.stdout);
  await pool.end();
});
