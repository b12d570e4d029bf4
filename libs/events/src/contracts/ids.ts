/** Identities. Inside the system a run id is its bare UUIDv7; people and APIs see `run_<uuid>`. */
declare const brand: unique symbol;
type Brand<T, B extends string> = T & { readonly [brand]: B };

export type RunId = Brand<string, 'RunId'>;
/**
 * Where a task stands in its run: ids joined by `/`, a collection's child by `[n]` behind its parent (`images[3]`,
 * `images[3]/upload`), a later visit of a loop by `#n` (`check#2`). The run's own stream is `''`.
 */
export type TaskPath = Brand<string, 'TaskPath'>;
export type DefinitionHash = Brand<string, 'DefinitionHash'>;

export const RUN_STREAM = '' as TaskPath;
/** Signals get a stream each, named by their id: the version check makes a second delivery of an id a duplicate. */
export const SIGNAL_PREFIX = '$signal/';

/** Signals to everybody who waits in a namespace stand under this run; no run has this id. */
export const BROADCAST_RUN = '00000000-0000-8000-8000-000000000000' as RunId;
export const broadcastStream = (namespace: string, signalId: string): TaskPath => `${SIGNAL_PREFIX}${namespace}/${signalId}` as TaskPath;

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** Accepts `run_<uuid>` or the bare UUID; `undefined` if it is neither. */
export const parseRunId = (text: string): RunId | undefined => {
  const bare = text.startsWith('run_') ? text.slice(4) : text;
  return UUID.test(bare) ? (bare as RunId) : undefined;
};
export const formatRunId = (id: RunId): string => `run_${id}`;

export const taskPath = (text: string): TaskPath => text as TaskPath;
export const signalStream = (signalId: string): TaskPath => `${SIGNAL_PREFIX}${signalId}` as TaskPath;
export const isSignalStream = (path: TaskPath): boolean => path.startsWith(SIGNAL_PREFIX);

/** `a/b[3]` → `a/b`; `a/b` → `a`; `a` → `''`. */
export const parentPath = (path: TaskPath): TaskPath => {
  if (path.endsWith(']')) return path.slice(0, path.lastIndexOf('[')) as TaskPath;
  const slash = path.lastIndexOf('/');
  return (slash < 0 ? '' : path.slice(0, slash)) as TaskPath;
};
/** The name a task goes by among its siblings: `a/b` → `b`, `a/b[3]` → `b[3]`. */
export const childName = (path: TaskPath): string => path.slice(path.lastIndexOf('/') + 1);
export const childPath = (parent: TaskPath, id: string): TaskPath => (parent === '' ? id : `${parent}/${id}`) as TaskPath;
export const itemPath = (parent: TaskPath, index: number): TaskPath => `${parent}[${index}]` as TaskPath;
