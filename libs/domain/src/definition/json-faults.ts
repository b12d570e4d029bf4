import { ExactNumber } from '@foldwork/events/contracts';
import type { Fault, Segment } from './task-type.definition';

export const MAX_JSON_DEPTH = 64;
const MAX_NODES = 200_000;
const FORBIDDEN_KEYS: ReadonlySet<string> = new Set(['__proto__', 'constructor', 'prototype']);

/** What keeps a JS value from being I-JSON that is safe to keep: cycles, depth, non-JSON values, prototype keys, bad Unicode. */
export const jsonFaults = (value: unknown): Fault[] => {
  const faults: Fault[] = [];
  new JsonCheck(faults).visit(value, []);
  return faults;
};

class JsonCheck {
  private readonly above = new Set<object>();
  private nodes = 0;

  constructor(private readonly faults: Fault[]) {}

  visit(value: unknown, at: readonly Segment[]): void {
    if (typeof value === 'object' && value !== null && !(value instanceof ExactNumber)) return this.visitContainer(value, at);
    if (typeof value === 'string' && (!value.isWellFormed() || value.includes('\0'))) this.add('not_json', 'This text has a lone surrogate or a NUL', at);
    else if (typeof value === 'number' && !Number.isFinite(value)) this.add('not_json', `${value} is no JSON number`, at);
    else if (!isJsonScalar(value)) this.add('not_json', `A ${typeof value} is no JSON`, at);
  }

  private visitContainer(value: object, at: readonly Segment[]): void {
    if (this.above.has(value)) return this.add('cyclic', 'This value contains itself', at);
    if (at.length >= MAX_JSON_DEPTH) return this.add('too_deep', `Nested more than ${MAX_JSON_DEPTH} levels deep`, at);
    if (++this.nodes > MAX_NODES) return this.nodes === MAX_NODES + 1 ? this.add('too_large', `More than ${MAX_NODES} values`, []) : undefined;
    if (!isContainer(value)) return this.add('not_json', 'Only plain maps and lists are JSON', at);
    this.above.add(value);
    for (const [key, member] of Object.entries(value)) {
      const inner = [...at, Array.isArray(value) ? Number(key) : key];
      if (!Array.isArray(value) && FORBIDDEN_KEYS.has(key)) this.add('prototype_key', `The key "${key}" is not allowed`, inner);
      else this.visit(member, inner);
    }
    this.above.delete(value);
  }

  private add(code: string, message: string, at: readonly Segment[]): void {
    this.faults.push({ code, message, at });
  }
}

const isJsonScalar = (value: unknown): boolean =>
  value === null || typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' || value instanceof ExactNumber;

const isContainer = (value: object): boolean => {
  if (Array.isArray(value)) return true;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
};
