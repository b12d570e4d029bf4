import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { z } from 'zod';
import type { Action } from './action';
import { ActionInvalid, defineAction } from './define-action';

/** What a module may export as `default` or `actions` besides a list: a function that gives one and needs no import of ours. */
type ActionFactory = (tools: { readonly defineAction: typeof defineAction; readonly z: typeof z }) => unknown;

/** A module that waits at its top for something that does not come would keep the service from starting without a word. */
const LOAD_LIMIT_MS = 30_000;

/** Functions of functions, defaults of defaults; some modules are their own default. */
const NESTING_MAX = 4;

/** Loads the actions of the modules (JavaScript, or TypeScript without a build). Throws with the path and what is wrong. */
export const loadActions = async (paths: readonly string[], workingFolder: string, limitMs = LOAD_LIMIT_MS): Promise<Action<never>[]> => {
  const lists = await Promise.all(paths.map((path) => loadModule(resolve(workingFolder, path), limitMs)));
  return lists.flat();
};

const loadModule = async (path: string, limitMs: number): Promise<readonly Action<never>[]> => {
  if (!existsSync(path)) throw new ActionInvalid(path, 'there is no such file; paths are relative to the working directory');
  const noteExit = (): void => void process.stderr.write(`action ${path}: the module ended the process while it was loaded\n`);
  process.once('exit', noteExit);
  try {
    return asActions(path, await inTime(path, limitMs, exportsOf(path)));
  } finally {
    process.off('exit', noteExit);
  }
};

const exportsOf = async (path: string): Promise<unknown> => {
  try {
    let exported = await unwrap(await import(pathToFileURL(path).href));
    for (let calls = 0; typeof exported === 'function' && calls < NESTING_MAX; calls += 1) exported = await (exported as ActionFactory)({ defineAction, z });
    return exported;
  } catch (error) {
    throw new ActionInvalid(path, `the module does not load: ${error instanceof Error ? error.message : String(error)}`);
  }
};

const inTime = async <T>(path: string, limitMs: number, loading: Promise<T>): Promise<T> => {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(new ActionInvalid(path, `the module has not loaded within ${limitMs / 1000} s: something that it awaits does not come`)), limitMs);
  try {
    return await Promise.race([loading, late.promise]);
  } finally {
    clearTimeout(timer);
  }
};

const asActions = (path: string, exported: unknown): readonly Action<never>[] => {
  if (!Array.isArray(exported)) throw new ActionInvalid(path, 'export a list of actions, or a function that returns one, as `default` or `actions`');
  return exported.map((action: Action<never> | null | undefined, index) => {
    if (typeof action !== 'object' || action === null) throw new ActionInvalid(path, `element ${index + 1} of the list is not an action`);
    return defineAction(action);
  });
};

/** ES modules have `default`; a CommonJS module appears as the default of its wrapper, sometimes twice. */
const unwrap = (loaded: unknown): unknown => {
  let found = loaded;
  for (let level = 0; level < NESTING_MAX && typeof found === 'object' && found !== null && !Array.isArray(found); level += 1) {
    if ('actions' in found) return found.actions;
    if (!('default' in found)) return found;
    found = found.default;
  }
  return found;
};
