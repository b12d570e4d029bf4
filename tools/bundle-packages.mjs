/**
 * Makes dist/packages: a few files with the packages that services load at their start, and beside them a small file for
 * each package, which compiled code requires in its place. To find and load a file costs more than what is in it, and
 * Nest and rxjs have hundreds of them.
 *
 * Usage: node tools/bundle-packages.mjs
 */
import { build } from 'esbuild';
import { existsSync, statSync } from 'node:fs';
import { mkdir, rename, writeFile } from 'node:fs/promises';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const folder = join(root, 'dist/packages');

/**
 * What is read together, by its own file. `pg` is none of them: it is small, and tests watch the statements that go
 * through it; nor is what is loaded late and needs none of these.
 */
const BUNDLES = {
  base: [
    '@marcbachmann/cel-js', '@nats-io/jetstream', '@nats-io/transport-node', '@noble/hashes/sha2.js', '@noble/hashes/utils.js',
    'lru-cache', 'pino', 're2js', 'reflect-metadata', 'tinyqueue', 'uuid',
  ],
  nest: ['@nestjs/common', '@nestjs/core', 'rxjs', 'rxjs/operators', '@nestjs/microservices', '@nestjs/platform-fastify', '@nestjs/swagger'],
  fastify: ['fastify'],
  statsd: ['hot-shots'],
  validator: ['class-validator'],
  zod: ['zod'],
};

/** What they can work with and we do not: it is not installed. */
const ABSENT = ['@fastify/multipart', '@fastify/static', '@fastify/view', '@nestjs/platform-express', '@nestjs/websockets/*', 'amqp-connection-manager', 'ioredis', 'kafkajs', 'mqtt'];

const PACKAGES = Object.values(BUNDLES).flat();
const fileOf = (name) => `${name.replace(/\.js$/, '')}.package.js`;

/** As `paths` of a TypeScript configuration, from a folder beside `packages`. */
export const PACKAGE_PATHS = Object.fromEntries(PACKAGES.map((name) => [name, [`./packages/${fileOf(name)}`]]));

const OUTPUTS = [...Object.keys(BUNDLES).map((bundle) => `${bundle}.bundle.js`), ...PACKAGES.map(fileOf)].map((file) => join(folder, file));
const changedAt = (file) => statSync(file).mtimeMs;

/** All of them: whoever was interrupted has written some. */
const isUpToDate = () => {
  const since = Math.max(...['package-lock.json', 'tools/bundle-packages.mjs'].map((file) => changedAt(join(root, file))));
  return OUTPUTS.every((file) => existsSync(file) && changedAt(file) >= since);
};

/** Builds may run at the same time, and services start meanwhile: nobody sees half a file. */
const writeWhole = async (path, text) => {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(`${path}.${process.pid}`, text);
  await rename(`${path}.${process.pid}`, path);
};

const writePackage = (bundle, name) => {
  const path = join(folder, fileOf(name));
  const up = relative(dirname(path), folder) || '.';
  return writeWhole(path, `module.exports = require('${up}/${bundle}.bundle.js')['${name}']();\n`);
};

/** A package of another bundle is that one's: there is one of each in a process. */
const fromOtherBundles = (names) => ({
  name: 'from other bundles',
  setup: ({ onResolve }) =>
    onResolve({ filter: /^[^./]/ }, ({ path }) => (PACKAGES.includes(path) && !names.includes(path) ? { path: `./${fileOf(path)}`, external: true } : undefined)),
});

/** Each package is evaluated when it is first required, as without a bundle. */
const writeBundle = async (bundle, names) => {
  const { outputFiles } = await build({
    stdin: { contents: `module.exports = { ${names.map((name) => `'${name}': () => require('${name}')`).join(', ')} };`, resolveDir: root },
    bundle: true, write: false, platform: 'node', target: 'node24', format: 'cjs', legalComments: 'none',
    minifyWhitespace: true, minifySyntax: true, lineLimit: 160, // half the text to read; names stay, but a second one of its kind in a bundle gets a number
    external: ABSENT,
    plugins: [fromOtherBundles(names)],
    define: { 'import.meta.url': 'bundleUrl' },
    banner: { js: "const bundleUrl = require('node:url').pathToFileURL(__filename).href;" },
  });
  await writeWhole(join(folder, `${bundle}.bundle.js`), outputFiles[0].contents);
};

const writeAll = () =>
  Promise.all(Object.entries(BUNDLES).flatMap(([bundle, names]) => [writeBundle(bundle, names), ...names.map((name) => writePackage(bundle, name))]));

let writing;

/** Once in a process: projects are built side by side. */
export const bundlePackages = () => (writing ??= isUpToDate() ? Promise.resolve() : writeAll());

if (process.argv[1] && import.meta.url === pathToFileURL(resolve(process.argv[1])).href) await bundlePackages();
