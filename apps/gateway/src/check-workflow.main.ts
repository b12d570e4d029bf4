import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { ActionDirectory } from '@foldwork/events';
import { createPool, readConfig } from '@foldwork/platform';
import { actionCatalog } from './workflows/action-catalog';
import { checkFiles } from './workflows/check-files';
import { DefinitionCheck } from './workflows/definition-check';

const USAGE = `Checks workflow files as POST /orchestrator/workflows/check does. Exit code 0: all are valid; 1: some are not; 2: cannot be read.

  npm run check-workflow -- [options] <file> …

  --database-url <url>   also checks actions against those that the executors of this installation offer
  --json                 one JSON object per file
`;

const run = async (): Promise<void> => {
  const { values, positionals } = parseArgs({ allowPositionals: true, options: { 'database-url': { type: 'string' }, json: { type: 'boolean' }, help: { type: 'boolean' } } });
  if (values.help === true || positionals.length === 0) {
    process.exitCode = values.help === true ? 0 : 2;
    return void process.stdout.write(USAGE);
  }
  const files = positionals.map((path) => ({ path, text: readFileSync(path, 'utf8') }));
  const { output, areValid } = await withCheck(values['database-url'], (check) => checkFiles(check, files, values.json === true));
  process.stdout.write(output);
  process.exitCode = areValid ? 0 : 1;
};

const withCheck = async <T>(url: string | undefined, work: (check: DefinitionCheck) => Promise<T>): Promise<T> => {
  if (url === undefined) return work(new DefinitionCheck());
  const { databaseUrl } = readConfig({ ...process.env, FOLDWORK_DATABASE_URL: url }, ['databaseUrl']);
  const pool = createPool({ databaseUrl, maximum: 1, applicationName: 'check-workflow' });
  try {
    return await work(new DefinitionCheck(actionCatalog(new ActionDirectory(pool))));
  } finally {
    await pool.end();
  }
};

run().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 2;
});
