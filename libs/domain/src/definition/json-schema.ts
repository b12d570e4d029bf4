import { ExactNumber, stringifyJson, type Json } from '@foldwork/events/contracts';
import { Ajv, type ErrorObject, type Options, type ValidateFunction } from 'ajv';
import { Ajv2020 } from 'ajv/dist/2020';
import addFormats from 'ajv-formats';
import { LRUCache } from 'lru-cache';
import { RE2JS } from 're2js';
import { schemaLimits } from './json-schema-limits';
import type { JsonSchema } from './task.definition';

/** Patterns run in linear time; what this engine does not know (look-around, back references) is refused. */
const linearPatterns = Object.assign((pattern: string) => RE2JS.compile(pattern), { code: 'linearPatterns' });

const OPTIONS: Options = {
  strict: false,
  allErrors: true,
  validateFormats: true,
  code: { regExp: linearPatterns as unknown as NonNullable<NonNullable<Options['code']>['regExp']> }, // RE2JS has the `test` that ajv needs
};
const FORMATS = ['date', 'time', 'date-time', 'duration', 'uri', 'uri-reference', 'email', 'hostname', 'ipv4', 'ipv6', 'uuid', 'json-pointer'] as const;

const prepare = <A extends Ajv | Ajv2020>(ajv: A): A => {
  (addFormats as unknown as typeof addFormats.default)(ajv as Ajv, [...FORMATS]); // its CommonJS default export is the function itself
  ajv.removeKeyword('uniqueItems'); // the built-in one compares all pairs
  ajv.addKeyword({ keyword: 'uniqueItems', type: 'array', schemaType: 'boolean', validate: (isWanted: boolean, list: unknown[]) => !isWanted || isUnique(list), error: { message: 'must NOT have duplicate items' } });
  return ajv;
};
const isUnique = (list: readonly unknown[]): boolean => new Set(list.map((item) => sortedText(item))).size === list.length;
const sortedText = (value: unknown): string =>
  JSON.stringify(value, (_key, member: unknown) =>
    typeof member === 'object' && member !== null && !Array.isArray(member) ? Object.fromEntries(Object.entries(member).sort(([a], [b]) => (a < b ? -1 : 1))) : member,
  );

/** One validator per dialect, made when the first schema asks for it. */
let draft7: Ajv | undefined;
let draft2020: Ajv2020 | undefined;
const ajvFor = (isNewDraft: boolean): Ajv | Ajv2020 =>
  isNewDraft ? (draft2020 ??= prepare(new Ajv2020(OPTIONS))) : (draft7 ??= prepare(new Ajv(OPTIONS)));

type Compiled = { readonly validate: ValidateFunction } | { readonly problem: string };

const byObject = new WeakMap<object, Compiled>();
const byText = new LRUCache<string, Compiled>({ max: 500 });

const compile = (schema: JsonSchema): Compiled => {
  const known = typeof schema === 'object' ? byObject.get(schema) : undefined;
  if (known) return known;
  const text = stringifyJson(schema);
  const compiled = byText.get(text) ?? compileFresh(schema);
  byText.set(text, compiled);
  if (typeof schema === 'object') byObject.set(schema, compiled);
  return compiled;
};

const compileFresh = (schema: JsonSchema): Compiled => {
  const problem = schemaLimits(schema);
  if (problem !== undefined) return { problem };
  const isNewDraft = typeof schema === 'object' && (/20(19|20)-/.test(String(schema['$schema'])) || stringifyJson(schema).includes('"prefixItems"'));
  const ajv = ajvFor(isNewDraft);
  const anonymous = typeof schema === 'object' ? withoutIdentity(schema) : schema;
  try {
    return { validate: ajv.compile(anonymous) };
  } catch (error) {
    return { problem: (error as Error).message }; // ajv and re2js throw Errors only
  } finally {
    if (typeof anonymous === 'object') ajv.removeSchema(anonymous);
  }
};

/** Two workflows may use one `$id`; the dialect has been chosen already. */
const withoutIdentity = ({ $id: _id, $schema: _dialect, ...rest }: Extract<JsonSchema, object>): object => plainNumbers(rest as Json) as object;

/** Why a schema cannot be used, or `undefined`. */
export const schemaProblem = (schema: JsonSchema): string | undefined => {
  const compiled = compile(schema);
  return 'problem' in compiled ? compiled.problem : undefined;
};

const MAX_FAULTS = 20;

/** What the value violates, as `pointer message`; at most 20. A schema that cannot be used is one fault. */
export const schemaFaults = (schema: Json, value: Json): string[] => {
  const compiled = compile(schema as JsonSchema); // anything else is refused by the compiler as a problem
  if ('problem' in compiled) return [`the schema cannot be used: ${compiled.problem}`];
  if (compiled.validate(plainNumbers(value))) return [];
  return (compiled.validate.errors ?? []).slice(0, MAX_FAULTS).map(formatError);
};

const formatError = ({ instancePath, message = 'is not valid', params }: ErrorObject): string => {
  const extra = typeof params['additionalProperty'] === 'string' ? ` "${params['additionalProperty']}"` : '';
  return `${instancePath === '' ? '(whole value)' : instancePath} ${message}${extra}`;
};

/** The validator knows doubles only; for a limit or a type the nearest one is good enough. */
const plainNumbers = (value: Json): unknown => {
  if (value instanceof ExactNumber) return Number(value.text);
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(plainNumbers);
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, plainNumbers(member)]));
};
