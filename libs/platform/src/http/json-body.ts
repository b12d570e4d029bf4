import { isUtf8 } from 'node:buffer';
import { ExactNumber, parseJson, type Json, type JsonObject } from '@foldwork/events/contracts';
import { scanJsonText } from './json-text';
import { badRequest, invalidContent, type Fault, type Problem } from './problem';

export const BODY_BYTES_MAX = 1_048_576;
export const JSON_DEPTH_MAX = 64;

/**
 * The one way a JSON body comes in: exact numbers survive, and whatever the log could not store or a program could trip
 * over is refused here. Throws `Problem`: 400 when it is no JSON, 422 with all faults when it is JSON we refuse.
 */
export const parseJsonBody = (body: Uint8Array): Json => {
  if (!isUtf8(body)) throw badRequest('invalid_unicode', 'The body is not valid UTF-8.', 'Encode the body as UTF-8.');
  return parseJsonText(Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString('utf8'));
};

export const parseJsonText = (text: string): Json => {
  const shape = scanJsonText(text);
  if (shape.depth > JSON_DEPTH_MAX) throw tooDeep();
  const value = parse(text);
  const census = takeCensus(value);
  if (census.members < shape.members) census.faults.push(DUPLICATE_KEY);
  if (census.faults.length > 0) throw invalidContent(census.faults);
  return value;
};

const DUPLICATE_KEY: Fault = { pointer: '', code: 'duplicate_key', message: 'An object of the body has the same key twice.' };

const tooDeep = (): Problem =>
  invalidContent([{ pointer: '', code: 'too_deep', message: `The body is nested deeper than ${JSON_DEPTH_MAX} levels.` }]);

const parse = (text: string): Json => {
  try {
    return parseJson(text);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw badRequest('malformed_json', `The body is not valid JSON: ${error.message}`, 'Send one JSON document.');
  }
};

interface Census {
  members: number;
  readonly faults: Fault[];
}

const takeCensus = (value: Json): Census => {
  const census: Census = { members: 0, faults: [] };
  visit(value, '', census);
  return census;
};

const visit = (value: Json, pointer: string, census: Census): void => {
  if (typeof value === 'string') checkString(value, pointer, census);
  else if (typeof value !== 'object' || value === null) return;
  else if (value instanceof ExactNumber) checkNumber(value, pointer, census);
  else if (Array.isArray(value)) value.forEach((each, index) => visit(each, `${pointer}/${index}`, census));
  else visitMembers(value, pointer, census);
};

const visitMembers = (object: JsonObject, pointer: string, census: Census): void => {
  for (const key of Object.keys(object)) {
    census.members += 1;
    const at = `${pointer}/${escapePointer(key)}`;
    const member = object[key] ?? null;
    checkString(key, at, census);
    if (isPrototypeKey(key, member)) census.faults.push({ pointer: at, code: 'prototype_key', message: `The key ${key} is not allowed.` });
    visit(member, at, census); // to count, too: what is not counted passes for written twice
  }
};

/** `constructor` is an ordinary word unless it leads on to `prototype`. */
const isPrototypeKey = (key: string, member: Json): boolean =>
  key === '__proto__' || (key === 'constructor' && typeof member === 'object' && member !== null && Object.hasOwn(member, 'prototype'));

const checkString = (text: string, pointer: string, census: Census): void => {
  if (text.isWellFormed() && !text.includes('\u0000')) return;
  census.faults.push({ pointer: pointer.toWellFormed().replaceAll('\u0000', '\uFFFD'), code: 'invalid_unicode', message: 'A text holds a lone surrogate or the character U+0000.' });
};

const checkNumber = ({ text }: ExactNumber, pointer: string, census: Census): void => {
  if (Number.isFinite(Number(text))) return;
  census.faults.push({ pointer, code: 'number_out_of_range', message: 'A number is larger than a double can tell (1e308).' });
};

export const escapePointer = (key: string): string =>
  key.includes('~') || key.includes('/') ? key.replaceAll('~', '~0').replaceAll('/', '~1') : key;
