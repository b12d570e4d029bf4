import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Result } from '../measure';

const FOLDER = join('benchmarks', 'results');

/** Keeps a result under its date and hour, beside those before. */
export const storeResult = (result: Result): void => {
  mkdirSync(FOLDER, { recursive: true });
  const name = String(result['machine']?.['at']).slice(0, 16).replaceAll(':', '-');
  writeFileSync(join(FOLDER, `${name}.json`), `${JSON.stringify(result, null, 2)}\n`);
};
