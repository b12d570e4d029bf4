import { loadActions } from './load-actions';

/** Loads modules as a service does, outside the test runner's own module system; says what it got. */
const [folder = '', ...paths] = process.argv.slice(2);
loadActions(paths, folder, 5_000).then(
  (actions) => process.send?.(actions.map(({ name, effect }) => `${name} ${effect}`)),
  (error: unknown) => process.send?.(`${error instanceof Error ? error.name : ''}: ${error instanceof Error ? error.message : String(error)}`),
);
