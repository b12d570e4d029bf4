/**
 * Runs one app and starts it anew after each change of its sources or of a library. A build that fails leaves the
 * running process alone. Settings come from the environment and from .env in the workspace root.
 *
 * Usage: nx serve <app>, which is: node tools/serve.mjs apps/<app>
 */
import { spawn } from 'node:child_process';
import { existsSync, readdirSync, watch } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildProject } from './build.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const SETTLE_MS = 100;
const STOP_LIMIT_MS = 10_000;

const app = process.argv[2];
if (!app || !existsSync(join(root, app, 'src'))) {
  console.error(`serve: no such app: ${app ?? '(none given)'}`);
  process.exit(2);
}
const libraries = readdirSync(join(root, 'libs')).map((name) => `libs/${name}`);
/** The standalone app is made of the modules of the four others. */
const apps = app === 'apps/standalone' ? readdirSync(join(root, 'apps')).map((name) => `apps/${name}`) : [app];
const projects = [...libraries, ...apps];

let child;
let restarting = Promise.resolve();

const start = () => {
  const settings = existsSync(join(root, '.env')) ? ['--env-file=.env'] : [];
  child = spawn(process.execPath, [...settings, join('dist', app, 'src/main.js')], {
    cwd: root,
    stdio: 'inherit',
  });
  child.on('exit', (code) => code && console.error(`serve: ${app} ended with ${code}; waiting for a change`));
};

const stop = async (signal = 'SIGTERM') => {
  if (!child || child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.kill(signal);
  const limit = setTimeout(() => child.kill('SIGKILL'), STOP_LIMIT_MS);
  await ended;
  clearTimeout(limit);
};

const restart = async () => {
  try {
    await Promise.all(projects.map(buildProject));
  } catch (error) {
    console.error(`serve: not restarted, the build failed\n${error instanceof Error ? error.message : error}`);
    return;
  }
  await stop();
  start();
};

let settling;
const changed = () => {
  clearTimeout(settling);
  settling = setTimeout(() => (restarting = restarting.then(restart)), SETTLE_MS);
};

for (const project of projects) watch(join(root, project), { recursive: true }, changed);
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.on(signal, async () => {
    await stop();
    process.exit(0);
  });
}
await restart();
