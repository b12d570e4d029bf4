import { parseArgs } from 'node:util';
import { Client } from 'pg';
import { createPostgresEventLog } from '@foldwork/events';
import { createLogger, readConfig } from '@foldwork/platform';
import { AUDITOR_SESSION } from './auditor.config';
import { rebuild } from './rebuild/rebuild';

const USAGE = `Makes the read models anew from the event log while the old ones serve.

  --database-url <url>   Postgres, as the owner of the schema; default FOLDWORK_DATABASE_URL
`;

const run = async (): Promise<void> => {
  const { values } = parseArgs({ options: { 'database-url': { type: 'string' }, help: { type: 'boolean' } } });
  if (values.help === true) return void process.stdout.write(USAGE);
  const url = values['database-url'];
  const config = readConfig(url === undefined ? process.env : { ...process.env, FOLDWORK_DATABASE_URL: url }, ['databaseUrl']);
  const log = createPostgresEventLog({ connectionString: config.databaseUrl, applicationName: 'foldwork-rebuild', readConnectionsMax: 1 });
  const options = Object.entries(AUDITOR_SESSION).map(([name, value]) => `-c ${name}=${value}`).join(' ');
  const client = new Client({ connectionString: config.databaseUrl, application_name: 'foldwork-rebuild', options });
  await client.connect();
  try {
    const position = await rebuild({ log, client, logger: createLogger({ app: 'rebuild', level: config.logLevel }) });
    process.stdout.write(`The read models are made anew from ${position} events.\n`);
  } finally {
    await client.end();
    await log.close();
  }
};

run().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
});
