/**
 * Completes package-lock.json with the optional packages of other platforms. A registry that does not carry all of them
 * makes `npm install` leave them out of the lock file, and then `npm ci` refuses it, everywhere. The entries have no
 * checksum; npm takes that of the registry when a machine of that platform installs them.
 *
 * Usage: node tools/complete-lock-file.mjs [--check]    after every npm install that changes the lock file
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const path = join(dirname(fileURLToPath(import.meta.url)), '../package-lock.json');
const EXACT = /^\d+\.\d+\.\d+[^\s|<>*^~]*$/;
const SYSTEMS = ['darwin', 'win32', 'windows', 'linux', 'android', 'freebsd', 'openbsd', 'netbsd', 'sunos', 'openharmony', 'aix'];
const PROCESSORS = ['x64', 'arm64', 'arm', 'ia32', 'ppc64', 's390x', 'riscv64', 'loong64', 'mips64el', 'wasm32'];

const words = (name) => name.split('/').at(-1).split(/[-.]/);
const pick = (name, known) => words(name).map((word) => (word === 'armv7' ? 'arm' : word)).filter((word) => known.includes(word));

/** The platform is part of such a package's name: @swc/core-linux-arm64-musl. */
const platformOf = (name) => {
  const os = pick(name, SYSTEMS).map((word) => (word === 'windows' ? 'win32' : word));
  const cpu = pick(name, PROCESSORS);
  const libc = words(name).flatMap((word) => (word.startsWith('musl') ? ['musl'] : word.startsWith('gnu') && os[0] === 'linux' ? ['glibc'] : []));
  return { ...(cpu.length > 0 && { cpu }), ...(libc.length > 0 && { libc }), ...(os.length > 0 && { os }) };
};

/** Where npm would find a dependency of the package at `from`: in its own node_modules or in one further up. */
const isLocked = (packages, from, name) => {
  for (let folder = from; ; folder = folder.slice(0, Math.max(0, folder.lastIndexOf('/node_modules/')))) {
    if (`${folder === '' ? '' : `${folder}/`}node_modules/${name}` in packages) return true;
    if (!folder.includes('node_modules')) return false;
    if (!folder.includes('/node_modules/')) return `node_modules/${name}` in packages;
  }
};

const missingFrom = (packages) =>
  Object.entries(packages).flatMap(([from, { optionalDependencies = {}, dev }]) =>
    Object.entries(optionalDependencies)
      .filter(([name, version]) => EXACT.test(version) && !isLocked(packages, from, name))
      .map(([name, version]) => [`node_modules/${name}`, { version, ...platformOf(name), ...(dev && { dev }), optional: true }]),
  );

const lock = JSON.parse(readFileSync(path, 'utf8'));
const missing = missingFrom(lock.packages);
if (missing.length > 0 && process.argv.includes('--check')) {
  console.error(`package-lock.json lacks ${missing.length} packages of other platforms: node tools/complete-lock-file.mjs`);
  process.exit(1);
}
if (missing.length > 0) {
  const sorted = Object.entries({ ...lock.packages, ...Object.fromEntries(missing) }).sort(([a], [b]) => a.localeCompare(b, 'en'));
  writeFileSync(path, `${JSON.stringify({ ...lock, packages: Object.fromEntries(sorted) }, null, 2)}\n`);
  console.log(`added ${missing.length} packages of other platforms to package-lock.json`);
}
