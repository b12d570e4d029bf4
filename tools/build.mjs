/**
 * Compiles one or more projects with swc: every .ts file that is not a test goes to dist/<same path>.js with a source
 * map, other files that programs read (.sql, .json, .yaml, .html) are copied, and output without a source is removed.
 * The path aliases of tsconfig.json and the bundled packages become relative requires. Files whose output is newer are left alone.
 *
 * Usage: node tools/build.mjs <project folder>…
 */
import { transformFile } from '@swc/core';
import { existsSync, globSync, readFileSync, statSync } from 'node:fs';
import { copyFile, mkdir, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { PACKAGE_PATHS, bundlePackages } from './bundle-packages.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
/** What decides over the output besides the sources. */
const SETTINGS = ['.swcrc', 'tsconfig.json', 'tools/bundle-packages.mjs'];
const ASSETS = new Set(['.sql', '.json', '.yaml', '.yml', '.html']);
const NOT_BUILT = /(\.spec|\.contract|\.bench)\.ts$|^test\/|\.d\.ts$|(^|\/)(project|tsconfig)\.json$/;

const readSettings = () => {
  const settings = JSON.parse(readFileSync(join(root, '.swcrc'), 'utf8'));
  delete settings.$schema;
  const { paths } = JSON.parse(readFileSync(join(root, 'tsconfig.json'), 'utf8')).compilerOptions;
  Object.assign(settings.jsc, { baseUrl: root, paths: { ...paths, ...PACKAGE_PATHS } }); // swc wants the folder absolute
  return { ...settings, swcrc: false };
};

const extension = (file) => file.slice(file.lastIndexOf('.'));
const outputOf = (file) => join(root, 'dist', file.replace(/\.ts$/, '.js'));

const isUpToDate = async (file, output, since) => {
  if (!existsSync(output)) return false;
  const [source, built] = await Promise.all([stat(join(root, file)), stat(output)]);
  return built.mtimeMs >= Math.max(source.mtimeMs, since);
};

const compile = async (file, output, settings) => {
  const { code, map } = await transformFile(join(root, file), { ...settings, sourceFileName: relative(dirname(output), join(root, file)) });
  await mkdir(dirname(output), { recursive: true });
  await writeFile(`${output}.map`, map ?? '{}');
  await writeFile(output, `${code}\n//# sourceMappingURL=${output.slice(output.lastIndexOf('/') + 1)}.map\n`);
};

const emit = async (file, settings, since) => {
  const output = outputOf(file);
  if (await isUpToDate(file, output, since)) return;
  if (extension(file) === '.ts') return compile(file, output, settings);
  await mkdir(dirname(output), { recursive: true });
  await copyFile(join(root, file), output);
  await utimes(output, new Date(), new Date());
};

const removeOrphans = async (project, sources) => {
  const kept = new Set(sources.map(outputOf));
  for (const file of globSync('**/*.*', { cwd: join(root, 'dist', project) })) {
    const path = join(root, 'dist', project, file);
    if (!kept.has(path.replace(/\.map$/, '')) && (await stat(path)).isFile()) await rm(path);
  }
};

/** Compiles what has changed in a project; throws with swc's message when a file does not parse. */
export const buildProject = async (project) => {
  await bundlePackages();
  const settings = readSettings();
  const since = Math.max(...SETTINGS.map((file) => statSync(join(root, file)).mtimeMs));
  const sources = globSync('**/*.*', { cwd: join(root, project) })
    .filter((file) => (extension(file) === '.ts' || ASSETS.has(extension(file))) && !NOT_BUILT.test(file))
    .map((file) => `${project}/${file}`.replaceAll('\\', '/'));
  await removeOrphans(project, sources);
  await Promise.all(sources.map((file) => emit(file, settings, since)));
};

if (process.argv[1] && import.meta.url === pathToFileURL(resolve(process.argv[1])).href) {
  for (const project of process.argv.slice(2)) await buildProject(project.replace(/\/$/, ''));
}
