import { createWriteStream } from 'node:fs';
import { once } from 'node:events';
import { parseArgs } from 'node:util';
import { createPostgresEventLog, PostgresDefinitionStore, type DefinitionStore, type EventLog } from '@foldwork/events';
import { createPool, readConfig } from '@foldwork/platform';
import { checkLog, type CheckReport, type RunDifference } from './check/check-log';
import { databaseLog, exportedLog, exportLines, linesOfFile } from './check/recorded-logs';

const USAGE = `Replays a recorded log through this version and names each run whose next decision would differ. Changes nothing.
Exit code 0: none would; 1: some would, or the log could not be read.

  --database-url <url>   Postgres with the log; default FOLDWORK_DATABASE_URL
  --file <path>          an exported log instead of a database
  --export <path>        write the log of the database to a file instead of checking it
  --json                 report as one JSON object
`;

const run = async (): Promise<void> => {
  const { values } = parseArgs({
    options: { 'database-url': { type: 'string' }, file: { type: 'string' }, export: { type: 'string' }, json: { type: 'boolean' }, help: { type: 'boolean' } },
  });
  if (values.help === true) return void process.stdout.write(USAGE);
  if (values.file !== undefined) return say(await checkLog(await exportedLog(linesOfFile(values.file))), values.json === true);
  await withDatabase(values['database-url'], async (log, definitions) => {
    if (values.export !== undefined) return exportTo(values.export, log, definitions);
    say(await checkLog(databaseLog(log, definitions)), values.json === true);
  });
};

const withDatabase = async (url: string | undefined, work: (log: EventLog, definitions: DefinitionStore) => Promise<void>): Promise<void> => {
  const { databaseUrl } = readConfig(url === undefined ? process.env : { ...process.env, FOLDWORK_DATABASE_URL: url }, ['databaseUrl']);
  const log = createPostgresEventLog({ connectionString: databaseUrl, applicationName: 'foldwork-check', readConnectionsMax: 1 });
  const pool = createPool({ databaseUrl, maximum: 1, applicationName: 'check' });
  try {
    await work(log, new PostgresDefinitionStore(pool));
  } finally {
    await Promise.all([pool.end(), log.close()]);
  }
};

const exportTo = async (path: string, log: EventLog, definitions: DefinitionStore): Promise<void> => {
  const file = createWriteStream(path);
  let lines = 0;
  for await (const line of exportLines(log, definitions)) {
    lines += 1;
    if (!file.write(line)) await once(file, 'drain');
  }
  file.end();
  await once(file, 'finish');
  process.stdout.write(`${lines} lines written to ${path}.\n`);
};

const say = (report: CheckReport, asJson: boolean): void => {
  process.stdout.write(asJson ? `${JSON.stringify(report)}\n` : textOf(report));
  process.exitCode = report.differences.length === 0 ? 0 : 1;
};

const textOf = ({ runs, events, differences }: CheckReport): string => {
  const verdict = differences.length === 0 ? 'this version decides all of them as they were decided' : `${differences.length} would go another way`;
  return `${runs} runs of ${events} events replayed: ${verdict}.\n${differences.map(describe).join('')}`;
};

const describe = ({ runId, workflow, kind, position, recorded, present }: RunDifference): string =>
  `\n${runId} (${workflow}) at position ${position}: ${kind}\n${recorded.map((line) => `  - ${line}\n`).join('')}${present.map((line) => `  + ${line}\n`).join('')}`;

run().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
});
