import { readFileSync } from 'node:fs';
import { SourceMap } from 'node:module';
import { dirname, relative, resolve } from 'node:path';

/** A map is read when the first stack goes through its file. */
const maps = new Map<string, SourceMap | undefined>();

const readMap = (file: string): SourceMap | undefined => {
  if (file.startsWith('node:') || file.includes('/node_modules/')) return undefined;
  try {
    return new SourceMap(JSON.parse(readFileSync(`${file}.map`, 'utf8')));
  } catch {
    return undefined; // a file without a map is its own source
  }
};

const mapOf = (file: string): SourceMap | undefined => {
  if (!maps.has(file)) maps.set(file, readMap(file));
  return maps.get(file);
};

const inSource = (site: NodeJS.CallSite): string => {
  const [file, line, column] = [site.getFileName(), site.getLineNumber(), site.getColumnNumber()];
  if (file == null || line === null || column === null) return String(site);
  const origin = mapOf(file)?.findOrigin(line, column);
  if (origin === undefined || !('fileName' in origin)) return String(site);
  const source = relative(process.cwd(), resolve(dirname(file), origin.fileName));
  return String(site).replace(`${file}:${line}:${column}`, () => `${source}:${origin.lineNumber}:${origin.columnNumber}`);
};

const headOf = (error: Error): string => {
  try {
    return String(error);
  } catch {
    return 'Error'; // one whose own toString throws
  }
};

/**
 * Stacks name the lines of our sources, as with Node's `--enable-source-maps`. That one reads the maps of all files as they
 * are loaded, a tenth of a service's start; here a process in which nothing goes wrong reads none.
 */
export const nameSourcesInStacks = (): void => {
  Error.prepareStackTrace = (error, sites) => [headOf(error), ...sites.map((site) => `    at ${inSource(site)}`)].join('\n');
};
