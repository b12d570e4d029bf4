import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { z } from 'zod';
import type { Action } from './action';
import { ActionInvalid, defineAction } from './define-action';

/** What a module may export as `default` or `actions` besides a list: a function that gives one and needs no import of ours. */
type ActionFactory = (tools: { readonly defineAction: typeof defineAction; readonly z: typeof z }) => unknown;

/** Loads the actions of the modules (JavaScript, or TypeScript without a build). Throws with the path and what is wrong. */
export const loadActions = async (paths: readonly string[], workingFolder: string): Promise<Action<never>[]> => {
  const lists = await Promise.all(paths.map((path) => loadModule(resolve(workingFolder, path))));
  return lists.flat();
};

const loadModule = async (path: string): Promise<readonly Action<never>[]> => {
  let exported: unknown;
  try {
    exported = unwrap(await import(pathToFileURL(path).href));
    while (typeof exported === 'function') exported = await (exported as ActionFactory)({ defineAction, z });
  } catch (error) {
    throw new ActionInvalid(path, `the module does not load: ${error instanceof Error ? error.message : String(error)}`);
  }
  if (!Array.isArray(exported)) throw new ActionInvalid(path, 'export a list of actions, or a function that returns one, as `default` or `actions`');
  return exported.map((action: Action<never> | null | undefined, index) => {
    if (typeof action !== 'object' || action === null) throw new ActionInvalid(path, `element ${index + 1} of the list is not an action`);
    return defineAction(action);
  });
};

/** ES modules have `default`; a CommonJS module appears as the default of its wrapper, sometimes twice. */
const unwrap = (loaded: unknown): unknown => {
  let found = loaded;
  while (typeof found === 'object' && found !== null && !Array.isArray(found)) {
    if ('actions' in found) return found.actions;
    if (!('default' in found)) return found;
    found = found.default;
  }
  return found;
};
