import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { measure } from './measure';
import { parseOptions, USAGE, type Options } from './options';
import { compare, comparisonLines } from './report/comparison';
import { readBaseline, storeResult } from './report/stored-results';
import { closeAllWorlds } from './world/world';

const stopOn = (signal: NodeJS.Signals, code: number): void => {
  process.once(signal, () => {
    process.stderr.write('\nending what was started …\n');
    void closeAllWorlds().finally(() => process.exit(code));
  });
};

const readOptions = (): Options => {
  try {
    return parseOptions(process.argv.slice(2));
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n${USAGE}\n`);
    process.exit(2);
  }
};

const main = async (): Promise<void> => {
  const options = readOptions();
  stopOn('SIGINT', 130);
  stopOn('SIGTERM', 143);
  const result = await measure(options);
  for (const line of comparisonLines(compare(result, readBaseline()))) console.log(line);
  if (options.json !== undefined) {
    mkdirSync(dirname(resolve(options.json)), { recursive: true });
    writeFileSync(options.json, `${JSON.stringify(result, null, 2)}\n`);
  }
  if (options.store) console.log(`kept as ${storeResult(result)}`);
};

main().then(
  () => process.exit(0),
  async (error: unknown) => {
    console.error(error);
    await closeAllWorlds();
    process.exit(1);
  },
);
