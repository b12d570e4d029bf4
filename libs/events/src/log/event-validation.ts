import type { NewEvent } from '../contracts';
import { EventRefused } from './event-log.port';

/**
 * What may enter the log. A payload that Postgres would refuse is caught here, so that it never reaches a batch; a
 * payload that a reader could not represent (I-JSON: no lone surrogate, no U+0000, no number beyond a double) is refused
 * as well. The usual event is decided by a few native searches over the text; only texts that look suspicious are
 * walked through.
 */
export interface EventLimits {
  readonly idBytesMax: number;
  readonly taskBytesMax: number;
  readonly metadataBytesMax: number;
  readonly dataBytesMax: number;
  readonly depthMax: number;
}

export const DEFAULT_EVENT_LIMITS: EventLimits = {
  idBytesMax: 128,
  taskBytesMax: 1024,
  metadataBytesMax: 16 * 1024,
  dataBytesMax: 8 * 1024 * 1024,
  depthMax: 64,
};

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const VERSION_MAX = 2_147_483_647;
const SCHEMA_VERSION_MAX = 32_767;
/**
 * Only a number with an exponent of three digits or of more than 200 characters can exceed a double. What precedes it
 * keeps the hexadecimal digits of ids out, every fourth of which would look like an exponent.
 */
const MAY_OVERFLOW = /[:[,\s]-?\d(?:[\d.]*[eE]\+?\d{3}|[\d.]{200})/;
const ESCAPES = /\\(?:u([0-9a-fA-F]{4})|[^])/g;

/** Throws `EventRefused` with a code and the field at fault. */
export const validateEvent = (event: NewEvent, limits: EventLimits = DEFAULT_EVENT_LIMITS): void => {
  if (!UUID.test(event.runId)) refuse('RUN_ID_MALFORMED', 'runId is not a lower-case UUID');
  if (!isCount(event.version, VERSION_MAX)) refuse('VERSION_OUT_OF_RANGE', `version ${event.version} is not 1 to ${VERSION_MAX}`);
  if (!isCount(event.schemaVersion, SCHEMA_VERSION_MAX)) refuse('VERSION_OUT_OF_RANGE', `schemaVersion ${event.schemaVersion}`);
  requireText('type', event.type, limits.idBytesMax);
  requireText('namespace', event.namespace, limits.idBytesMax);
  requireText('task', event.task, limits.taskBytesMax);
  requireJsonObject('metadata', event.metadata, limits.metadataBytesMax, limits.depthMax);
  requireJsonObject('data', event.data, limits.dataBytesMax, limits.depthMax);
};

/** Why the log would refuse the event, in words; `undefined`: it would not. */
export const refusalOf = (event: NewEvent): string | undefined => {
  try {
    validateEvent(event);
    return undefined;
  } catch (error) {
    if (error instanceof EventRefused) return error.message;
    throw error;
  }
};

/** Whether an event can hold this JSON text, so many levels inside its data. */
export const isStorable = (json: string, bytesMax: number, level: number): boolean => {
  try {
    requireJsonObject('data', `${'{"_":'.repeat(level)}${json}${'}'.repeat(level)}`, bytesMax, DEFAULT_EVENT_LIMITS.depthMax);
    return true;
  } catch (error) {
    if (error instanceof EventRefused) return false;
    throw error;
  }
};

const refuse = (code: string, message: string): never => {
  throw new EventRefused(code, message);
};

const isCount = (value: number, maximum: number): boolean => Number.isInteger(value) && value >= 1 && value <= maximum;

const requireText = (field: string, text: string, bytesMax: number): void => {
  if (text.length * 3 > bytesMax && Buffer.byteLength(text) > bytesMax) refuse('TEXT_TOO_LONG', `${field} exceeds ${bytesMax} bytes`);
  if (!text.isWellFormed()) refuse('TEXT_NOT_UNICODE', `${field} has a lone surrogate`);
  if (text.includes('\0')) refuse('TEXT_NOT_UNICODE', `${field} has U+0000`);
};

const requireJsonObject = (field: string, text: string, bytesMax: number, depthMax: number): void => {
  requireText(field, text, bytesMax);
  if (!text.startsWith('{') || !text.endsWith('}')) refuse('JSON_NOT_OBJECT', `${field} is not the text of a JSON object`);
  if (text.includes('\\u')) requireUnicodeEscapes(field, text);
  if (MAY_OVERFLOW.test(text)) requireFiniteNumbers(field, text);
  if (hasMoreOpeners(text, depthMax)) requireDepth(field, text, depthMax);
};

/** `\u0000` and surrogates that are not a pair. */
const requireUnicodeEscapes = (field: string, text: string): void => {
  let openHighAt = -1;
  for (const match of text.matchAll(ESCAPES)) {
    const unit = match[1] === undefined ? 0x20 : parseInt(match[1], 16);
    if (unit === 0) refuse('JSON_NOT_I_JSON', `${field} has \\u0000`);
    const isLow = unit >= 0xdc00 && unit <= 0xdfff;
    const pairs = openHighAt === match.index - 6;
    if (openHighAt >= 0 ? !(isLow && pairs) : isLow) refuse('JSON_NOT_I_JSON', `${field} has a lone surrogate`);
    openHighAt = unit >= 0xd800 && unit <= 0xdbff ? match.index : -1;
  }
  if (openHighAt >= 0) refuse('JSON_NOT_I_JSON', `${field} has a lone surrogate`);
};

const requireFiniteNumbers = (field: string, text: string): void => {
  let isOutside = false;
  try {
    JSON.parse(text, (_key, value: unknown) => {
      if (typeof value === 'number' && !Number.isFinite(value)) isOutside = true;
      return value;
    });
  } catch (cause) {
    throw new EventRefused('JSON_MALFORMED', `${field} is not JSON`, { cause });
  }
  if (isOutside) refuse('JSON_NOT_I_JSON', `${field} has a number beyond a double`);
};

const hasMoreOpeners = (text: string, limit: number): boolean => {
  if (text.length <= limit) return false;
  let openers = 0;
  for (const opener of ['{', '['])
    for (let at = text.indexOf(opener); at >= 0; at = text.indexOf(opener, at + 1)) if (++openers > limit) return true;
  return false;
};

const requireDepth = (field: string, text: string, depthMax: number): void => {
  let depth = 0;
  let isInString = false;
  for (let at = 0; at < text.length; at++) {
    const unit = text[at];
    if (isInString) {
      if (unit === '\\') at++;
      else if (unit === '"') isInString = false;
    } else if (unit === '"') isInString = true;
    else if (unit === '}' || unit === ']') depth--;
    else if ((unit === '{' || unit === '[') && ++depth > depthMax) refuse('JSON_TOO_DEEP', `${field} is nested deeper than ${depthMax}`);
  }
};
