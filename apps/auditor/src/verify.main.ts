import { parseArgs } from 'node:util';
import { createPostgresEventLog } from '@foldwork/events';
import { createPool, readConfig } from '@foldwork/platform';
import { describeProblem } from './integrity/integrity-problem';
import { verifyLog, type IntegrityReport } from './integrity/verify-log';

const USAGE = `Checks that the event log is as it was recorded. Exit code 0: it is; 1: it is not, or could not be read.

  --database-url <url>    Postgres; default FOLDWORK_DATABASE_URL
  --anchor-file <path>    file the auditor wrote anchors to, may be given several times; default FOLDWORK_ANCHOR_FILE
  --json                  report as one JSON object
`;

const run = async (): Promise<void> => {
  const { values } = parseArgs({
    options: {
      'database-url': { type: 'string' }, 'anchor-file': { type: 'string', multiple: true }, json: { type: 'boolean' }, help: { type: 'boolean' },
    },
  });
  if (values.help === true) return void process.stdout.write(USAGE);
  const url = values['database-url'];
  const config = readConfig(url === undefined ? process.env : { ...process.env, FOLDWORK_DATABASE_URL: url }, ['databaseUrl']);
  const anchorFiles = values['anchor-file'] ?? (config.anchorFile === undefined ? [] : [config.anchorFile]);
  const log = createPostgresEventLog({ connectionString: config.databaseUrl, applicationName: 'foldwork-verify', readConnectionsMax: 1 });
  const pool = createPool({ databaseUrl: config.databaseUrl, maximum: 1, applicationName: 'verify', session: { enable_seqscan: 'off' } });
  try {
    const report = await verifyLog({ log, client: pool, anchorFiles });
    process.stdout.write(values.json === true ? `${JSON.stringify(report)}\n` : reportText(report));
    process.exitCode = report.problems.length === 0 ? 0 : 1;
  } finally {
    await Promise.all([pool.end(), log.close()]);
  }
};

const reportText = ({ events, anchors, problems }: IntegrityReport): string => {
  const summary = `${events} events and ${anchors} anchors checked: `;
  if (problems.length === 0) return `${summary}the log is as it was recorded.\n`;
  return `${summary}${problems.length} problem${problems.length === 1 ? '' : 's'}.\n${problems.map((problem) => `  - ${describeProblem(problem)}\n`).join('')}`;
};

run().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
});
