import { readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { ServerProcess, throwawayFolder } from './demo/server-process';
import { actionsOf, loadExample, playExample } from './example/example';

/** Plays one of the examples on a standalone server of its own. Exits with 1 unless everything came out as it should. */
const EXAMPLES = join(resolve(__dirname, '../../../..'), 'examples');

const say = (text: string): void => void process.stdout.write(`${text}\n`);

const names = (): string[] => readdirSync(EXAMPLES, { withFileTypes: true }).filter((entry) => entry.isDirectory()).map(({ name }) => name);

const main = async (name: string): Promise<void> => {
  const loaded = await loadExample(join(EXAMPLES, name));
  const services = await loaded.example.startServices?.();
  const folder = throwawayFolder('foldwork-example-');
  const server = new ServerProcess(join(__dirname, 'main.js'), {
    FOLDWORK_DATA_DIR: join(folder, '.foldwork'), FOLDWORK_HTTP_PORT: '0', FOLDWORK_LOG_LEVEL: 'error', FOLDWORK_ACTIONS: actionsOf(loaded).join(','), ...services?.env,
  });
  server.endWithUs();
  try {
    say(`${loaded.example.title}\n`);
    await server.start();
    await playExample(loaded, { url: server.url, key: server.key() }, services, say);
    say('\nEverything came out as it should.');
  } finally {
    await server.end('SIGTERM');
    await services?.close();
  }
};

const [name = ''] = process.argv.slice(2);
if (!names().includes(name)) {
  process.stderr.write(`usage: npm run example -- <name>\nnames: ${names().join(', ')}\n`);
  process.exit(2);
}
main(name).then(
  () => process.exit(0),
  (error: unknown) => {
    if (process.exitCode !== undefined) return; // interrupted
    process.stderr.write(`\nthe example failed: ${error instanceof Error ? error.message : String(error)}\n`);
    process.exit(1);
  },
);
