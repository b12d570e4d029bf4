import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Result } from '../measure';

/** Below the workspace, where the command runs. */
const FOLDER = join('benchmarks', 'results');
const BASELINE = join(FOLDER, 'baseline.json');

/** Keeps a result under its date and hour, beside those before. Returns the path. */
export const storeResult = (result: Result): string => {
  mkdirSync(FOLDER, { recursive: true });
  const path = join(FOLDER, `${String(result['machine']?.['at']).slice(0, 16).replaceAll(':', '-')}.json`);
  writeFileSync(path, `${JSON.stringify(result, null, 2)}\n`);
  return path;
};

/** What later versions are compared with; nothing before the first was stored. */
export const readBaseline = (): Result | undefined =>
  existsSync(BASELINE) ? (JSON.parse(readFileSync(BASELINE, 'utf8')) as Result) : undefined;
