/**
 * Runs before anything is installed, so it uses nothing but Node itself and works from Node 20 on.
 * Installs when node_modules is absent or not what the lock file says, builds when a source is newer than the last build,
 * then hands over to an npm script, with node_modules/.bin first in the PATH, and with it Node 24.
 *
 * Usage: node tools/setup.mjs <npm script> [arguments for the script]
 */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const OLDEST_NODE = 20;
const PARENT_LOOK_MS = 500;
const INSTALLED = 'node_modules/.package-lock.json';
const BUILT = 'dist/.built';
const SOURCES = ['apps', 'libs', 'benchmarks', 'examples', 'tools/build.mjs', 'tools/bundle-packages.mjs'];
/** Scripts that read sources only. */
const NEEDS_NO_BUILD = new Set(['lint:run', 'typecheck:run', 'simulate:run']);

const say = (text) => process.stderr.write(`foldwork: ${text}\n`);

const fail = (text, status = 1) => {
  say(text);
  process.exit(status);
};

const modified = (path) => (existsSync(join(root, path)) ? statSync(join(root, path)).mtimeMs : 0);

/**
 * Runs npm the way it was started itself: the same npm on the same Node, which may not be the one of this script. The
 * Node of the machine knows the certificates of its network, the one in node_modules does not.
 */
const npmCall = (args, stdio) => {
  const cli = process.env.npm_execpath;
  const [command, prefix] = cli ? [process.env.npm_node_execpath ?? process.execPath, [cli]] : ['npm', []];
  const shell = !cli && process.platform === 'win32';
  return [command, [...prefix, ...args], { cwd: root, stdio, shell }];
};
const npm = (args, stdio = 'inherit') => spawnSync(...npmCall(args, stdio));

/** A script that is one call of Node is that call: between it and us nobody swallows a signal, as npm and its shell do. */
const startScript = (name, args) => {
  const [program, ...own] = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).scripts[name]?.split(' ') ?? [];
  if (program !== 'node') return spawn(...npmCall(['run', '--silent', name, '--', ...args], 'inherit'));
  const PATH = [join(root, 'node_modules/.bin'), process.env.PATH].join(delimiter);
  return spawn(join(root, 'node_modules/node/bin/node'), [...own, ...args], { cwd: root, stdio: 'inherit', env: { ...process.env, PATH } });
};

const seconds = (start) => `${((Date.now() - start) / 1000).toFixed(1)} s`;

const lockedPackages = (path) => {
  try {
    return JSON.parse(readFileSync(join(root, path), 'utf8')).packages ?? {};
  } catch {
    return {}; // absent or half written: nothing counts as installed
  }
};

/** By content, not by time: npm writes the lock file after node_modules, git at any time. */
const isInstalled = () => {
  const installed = lockedPackages(INSTALLED);
  const wanted = lockedPackages('package-lock.json');
  return (
    Object.entries(wanted).every(([path, { optional, peer }]) => path === '' || optional || peer || path in installed) &&
    Object.entries(installed).every(([path, { version }]) => wanted[path]?.version === version)
  );
};

const install = () => {
  const start = Date.now();
  say('installing dependencies (once, about a minute) …');
  const { status } = npm(['ci', '--loglevel=error']);
  if (status !== 0) {
    // A half-written node_modules must not look like a finished one at the next start.
    rmSync(join(root, INSTALLED), { force: true });
    fail('the installation failed. Is the npm registry reachable? Run `npm ci` to see all of its output.');
  }
  say(`dependencies installed in ${seconds(start)}`);
};

/** Newest change below a folder, of its files and folders (a deleted file changes its folder). */
const newestChange = (path) => {
  let newest = modified(path);
  if (!existsSync(join(root, path)) || !statSync(join(root, path)).isDirectory()) return newest;
  for (const entry of readdirSync(join(root, path), { withFileTypes: true })) {
    const child = `${path}/${entry.name}`;
    newest = Math.max(newest, entry.isDirectory() ? newestChange(child) : modified(child));
  }
  return newest;
};

const isBuildStale = () => {
  const built = modified(BUILT);
  return Math.max(modified('.swcrc'), modified('tsconfig.json'), modified(INSTALLED), ...SOURCES.map(newestChange)) > built;
};

/** Nobody who wants to start or test wants to read a build that went well. */
const build = ({ quiet }) => {
  const start = Date.now();
  say('building …');
  const { status, stdout, stderr } = npm(['run', '--silent', 'build:run'], quiet ? ['ignore', 'pipe', 'pipe'] : 'inherit');
  if (status !== 0) {
    if (quiet) process.stderr.write(`${stdout}${stderr}`);
    fail('the build failed; its messages are above.');
  }
  mkdirSync(join(root, 'dist'), { recursive: true });
  writeFileSync(join(root, BUILT), new Date(start).toISOString());
  // A file that was saved while the build ran is newer than the stamp and builds again next time.
  utimesSync(join(root, BUILT), start / 1000, start / 1000);
  say(`built in ${seconds(start)}`);
};

const [script, ...rest] = process.argv.slice(2);
if (!script) fail('usage: node tools/setup.mjs <npm script> [arguments]', 2);
const major = Number(process.versions.node.split('.')[0]);
if (major < OLDEST_NODE) fail(`needs Node ${OLDEST_NODE} or newer to start, this is ${process.version}.`);

if (!isInstalled()) install();
if (script === 'build:run') {
  build({ quiet: false });
  process.exit(0);
}
if (!NEEDS_NO_BUILD.has(script) && isBuildStale()) build({ quiet: true });

/** Ctrl-C reaches everybody in the terminal by itself, what else tells us to stop is passed on. Both wait for the end. */
const handOver = () => {
  const child = startScript(script, rest);
  child.once('error', (error) => fail(`cannot start ${script}: ${error.message}`));
  child.once('exit', (status, signal) => process.exit(status ?? (signal === 'SIGINT' ? 130 : 1)));
  process.on('SIGINT', () => undefined);
  for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  // npm passes a SIGTERM on to its shell, which ends without a word to us
  const parent = process.ppid;
  setInterval(() => process.ppid === parent || child.kill('SIGTERM'), PARENT_LOOK_MS).unref();
};

handOver();
