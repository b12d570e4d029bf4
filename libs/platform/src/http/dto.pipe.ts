import 'reflect-metadata';
import { Injectable, type ArgumentMetadata, type PipeTransform } from '@nestjs/common';
import { getMetadataStorage, ValidationError, validateSync, ValidationTypes } from 'class-validator';
import { ExactNumber } from '@foldwork/events/contracts';
import { escapePointer } from './json-body';
import { invalidContent, type Fault } from './problem';

type DtoClass = new () => object;

/**
 * Makes a DTO of a body or a query and checks it by its decorators; all faults at once. Members are handed over as they
 * are, never cloned, so that exact numbers inside `input` and `payload` survive. The names of the DTO's own members may
 * come in snake_case; what lies below them is the user's and stays as it is.
 */
@Injectable()
export class DtoPipe implements PipeTransform {
  transform(value: unknown, { type, metatype }: ArgumentMetadata): unknown {
    if ((type !== 'body' && type !== 'query') || metatype === undefined || !isDto(metatype)) return value;
    return makeDto(metatype, value ?? {}, type === 'query' ? '?' : '/');
  }
}

export const makeDto = <T extends object>(dto: new () => T, value: unknown, prefix: '/' | '?' = '/'): T => {
  if (typeof value !== 'object' || value === null || Array.isArray(value) || value instanceof ExactNumber) {
    throw invalidContent([{ pointer: '', code: 'wrong_type', message: 'This must be a JSON object.' }]);
  }
  const faults: Fault[] = [];
  const made = new dto();
  faults.push(...assignMembers(made, value, membersOf(dto), prefix));
  const errors = validateSync(made, { validationError: { target: false, value: false } });
  faults.push(...errors.flatMap((error) => faultsOf(error, prefix)));
  if (faults.length > 0) throw invalidContent(faults);
  return made;
};

/** Names of a DTO's members; `true` for those that may be left out, for which null means the same. */
type Members = ReadonlyMap<string, boolean>;
const membersByClass = new WeakMap<DtoClass, Members>();

const membersOf = (dto: DtoClass): Members => {
  const known = membersByClass.get(dto);
  if (known !== undefined) return known;
  const metadata = getMetadataStorage().getTargetValidationMetadatas(dto, '', false, false);
  const optional = new Set(metadata.filter(({ type }) => type === ValidationTypes.CONDITIONAL_VALIDATION).map(({ propertyName }) => propertyName));
  const members = new Map(metadata.map(({ propertyName }) => [propertyName, optional.has(propertyName)]));
  membersByClass.set(dto, members);
  return members;
};

const isDto = (metatype: unknown): metatype is DtoClass => typeof metatype === 'function' && membersOf(metatype as DtoClass).size > 0; // Nest hands over the parameter's class

/** Returns what is wrong with the members as such; what they hold is checked afterwards. */
const assignMembers = (made: object, value: object, members: Members, prefix: string): Fault[] => {
  const faults: Fault[] = [];
  const taken = new Set<string>();
  for (const [key, member] of Object.entries(value)) {
    const name = members.has(key) ? key : inCamelCase(key, members);
    if (taken.has(name)) faults.push({ pointer: `${prefix}${escapePointer(key)}`, code: 'duplicate_key', message: `${name} is given twice, in two spellings.` });
    taken.add(name);
    if (!members.has(name)) {
      faults.push({ pointer: `${prefix}${escapePointer(key)}`, code: 'unknown_field', message: `There is no field ${key} here.` });
      continue;
    }
    if (member === null && members.get(name) === true) continue;
    if (prefix === '?' && !isCleanText(member)) faults.push({ pointer: `?${name}`, code: 'invalid_unicode', message: `${name} holds characters that no text has.` });
    Object.defineProperty(made, name, { value: prefix === '?' ? asNumber(made, name, member) : member, enumerable: true, writable: true, configurable: true });
  }
  return faults;
};

/** Query parameters are texts; those that the DTO declares as numbers become numbers when they look like one. */
const asNumber = (made: object, name: string, value: unknown): unknown =>
  typeof value === 'string' && /^-?\d+(\.\d+)?$/.test(value) && Reflect.getMetadata('design:type', made, name) === Number ? Number(value) : value;

const isCleanText = (value: unknown): boolean => typeof value !== 'string' || (value.isWellFormed() && !value.includes('\u0000'));

const inCamelCase = (key: string, members: Members): string => {
  if (!key.includes('_')) return key;
  const camel = key.replace(/_([a-z0-9])/g, (_match, letter: string) => letter.toUpperCase());
  return members.has(camel) ? camel : key;
};

const faultsOf = (error: ValidationError, prefix: string): Fault[] => {
  const pointer = `${prefix}${escapePointer(error.property)}`;
  const own = Object.entries(error.constraints ?? {}).map(([kind, message]) => ({ pointer, code: codeOf(kind, error), message: `${message}.` }));
  return [...firstOf(own), ...(error.children ?? []).flatMap((child) => faultsOf(child, `${pointer}/`))];
};

/** What is not there, or of another type, fails every other check as well; that is one fault all the same. */
const firstOf = (own: readonly Fault[]): readonly Fault[] => {
  const first = own.find(({ code }) => code === 'missing') ?? own.find(({ code }) => code === 'wrong_type');
  return first === undefined ? own : [first];
};

const codeOf = (kind: string, error: ValidationError): string => {
  const given = (error.contexts?.[kind] as { code?: string } | undefined)?.code; // contexts are declared as any
  return given ?? CODES[kind] ?? 'invalid_value';
};

const CODES: Readonly<Record<string, string>> = {
  isString: 'wrong_type', isObject: 'wrong_type', isInt: 'wrong_type', isBoolean: 'wrong_type', isArray: 'wrong_type',
  isDefined: 'missing', isNotEmpty: 'missing',
  isIn: 'unknown_value', isEnum: 'unknown_value',
  min: 'out_of_range', max: 'out_of_range', minLength: 'out_of_range', maxLength: 'out_of_range', isLength: 'out_of_range', arrayMinSize: 'out_of_range', arrayMaxSize: 'out_of_range',
};
