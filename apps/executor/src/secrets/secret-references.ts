import { ExactNumber, type Json, type JsonObject } from '@foldwork/events';
import { ActionError } from '@foldwork/actions';

/** A place in a definition's `with` where `{ $secret: name }` is written. */
export interface SecretReference {
  readonly path: readonly (string | number)[];
  readonly name: string;
}

const NONE: readonly SecretReference[] = [];
const found = new WeakMap<object, readonly SecretReference[]>();

/**
 * The references that stand in a `with` as it was written. Data that comes in through an expression is never looked at:
 * whoever may start a run must not be able to name a secret.
 */
export const secretReferences = (written: unknown): readonly SecretReference[] => {
  if (typeof written !== 'object' || written === null) return NONE;
  const known = found.get(written);
  if (known !== undefined) return known;
  const references = search(written as Json, []); // `with` is JSON by the schema of definitions
  found.set(written, references);
  return references;
};

const search = (value: Json, path: readonly (string | number)[]): SecretReference[] => {
  if (Array.isArray(value)) return value.flatMap((item, index) => search(item, [...path, index]));
  if (!isObject(value)) return [];
  const name = secretName(value);
  if (name !== undefined) return [{ path, name }];
  return Object.entries(value).flatMap(([key, item]) => search(item, [...path, key]));
};

const secretName = (value: JsonObject): string | undefined => {
  const name = value['$secret'];
  return typeof name === 'string' && Object.keys(value).length === 1 ? name : undefined;
};

const isObject = (value: Json | undefined): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof ExactNumber);

/** A copy of the input with the secrets in their places. Something else that an overlay put there stays. Rejects with `SECRET_UNKNOWN`. */
export const withSecrets = async (input: Json, references: readonly SecretReference[], read: (name: string) => Promise<string | undefined>): Promise<{ input: Json; values: string[] }> => {
  const values: string[] = [];
  let filled = input;
  for (const { path, name } of references) {
    const present = at(input, path);
    if (!isObject(present) || secretName(present) !== name) continue;
    const value = await read(name);
    if (value === undefined) throw new ActionError('SECRET_UNKNOWN', `this executor has no secret "${name}"`);
    values.push(value);
    filled = replaced(filled, path, value);
  }
  return { input: filled, values };
};

const at = (value: Json, [key, ...rest]: readonly (string | number)[]): Json | undefined => {
  if (key === undefined) return value;
  const next = child(value, key);
  return next === undefined ? undefined : at(next, rest);
};

const child = (value: Json, key: string | number): Json | undefined => {
  if (typeof key === 'number') return Array.isArray(value) ? value[key] : undefined;
  return isObject(value) && Object.hasOwn(value, key) ? value[key] : undefined;
};

const replaced = (value: Json, [key, ...rest]: readonly (string | number)[], secret: string): Json => {
  if (key === undefined) return secret;
  if (typeof key === 'number') return Array.isArray(value) ? value.map((item, index) => (index === key ? replaced(item, rest, secret) : item)) : value;
  return isObject(value) ? { ...value, [key]: replaced(value[key] ?? null, rest, secret) } : value;
};
