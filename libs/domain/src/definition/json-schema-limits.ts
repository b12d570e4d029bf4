import { isPlain } from '../expressions/cel-values';
import type { JsonSchema } from './task.definition';

const MAX_DEPTH = 32;
const MAX_SUBSCHEMAS = 5000;
/** Subschemas after references are followed: what one value may have to be compared with. */
const MAX_EXPANDED = 50_000;
const REFUSED = ['$async', '$dynamicRef', '$recursiveRef', '$data'];
/** Keywords whose subschemas all look at the same value again. */
const IN_PLACE: ReadonlySet<string> = new Set(['allOf', 'anyOf', 'oneOf', 'not', 'if', 'then', 'else', 'dependentSchemas', 'dependencies']);
/** Keywords that hold data, not schemas. */
const DATA: ReadonlySet<string> = new Set(['const', 'enum', 'default', 'examples', 'example']);

/** Why a schema may not be compiled: too large, too deep, remote references, or exponential recursion. `undefined`: it may. */
export const schemaLimits = (schema: JsonSchema): string | undefined => {
  const check = new SchemaLimits(schema);
  return check.problem;
};

class SchemaLimits {
  problem: string | undefined;
  private subschemas = 0;
  private recursiveInPlace = 0;
  private readonly costs = new Map<unknown, number>();
  private readonly open = new Set<unknown>();

  constructor(private readonly root: JsonSchema) {
    if (typeof root !== 'boolean' && !isPlain(root)) this.problem = 'a schema is a map or true/false';
    else this.visit(root, 0);
    if (this.problem === undefined && this.expand(root, false) > MAX_EXPANDED) this.problem = 'its references expand into too many schemas';
    if (this.problem === undefined && this.recursiveInPlace > 1) this.problem = 'it refers to itself more than once inside allOf, anyOf, oneOf, not or if';
  }

  private visit(value: unknown, depth: number): void {
    if (this.problem !== undefined || typeof value !== 'object' || value === null) return;
    if (depth > MAX_DEPTH) this.problem = `it is nested more than ${MAX_DEPTH} levels deep`;
    if (++this.subschemas > MAX_SUBSCHEMAS) this.problem = `it has more than ${MAX_SUBSCHEMAS} parts`;
    for (const [key, member] of Object.entries(value)) {
      this.problem ??= keywordProblem(key, member, depth);
      if (!DATA.has(key)) this.visit(member, depth + 1);
    }
  }

  /** Number of subschemas with references followed; a reference to something that contains it counts as one. */
  private expand(schema: unknown, isInPlace: boolean): number {
    if (typeof schema !== 'object' || schema === null) return 0;
    const known = this.costs.get(schema);
    if (known !== undefined) return known;
    if (this.open.has(schema)) {
      if (isInPlace) this.recursiveInPlace++;
      return 1;
    }
    this.open.add(schema);
    const cost = Object.entries(schema).reduce((sum, [key, member]) => (DATA.has(key) ? sum : Math.min(sum + this.expandMember(key, member, isInPlace), MAX_EXPANDED + 1)), 1);
    this.open.delete(schema);
    this.costs.set(schema, cost);
    return cost;
  }

  private expandMember(key: string, member: unknown, isInPlace: boolean): number {
    if (key === '$ref' && typeof member === 'string') return this.expand(this.resolve(member), isInPlace);
    if (key === '$defs' || key === 'definitions') return 0;
    return this.expand(member, isInPlace || IN_PLACE.has(key));
  }

  private resolve(reference: string): unknown {
    const path = reference.slice(1).split('/').slice(1).map((part) => decodePart(part));
    return path.reduce<unknown>((inner, part) => (typeof inner === 'object' && inner !== null && Object.hasOwn(inner, part) ? (inner as Record<string, unknown>)[part] : undefined), this.root);
  }
}

const keywordProblem = (key: string, member: unknown, depth: number): string | undefined => {
  if (REFUSED.includes(key)) return `${key} is not allowed`;
  if (key === '$id' && depth > 0 && typeof member === 'string') return '$id is allowed at the top only';
  const isRemote = key === '$ref' && !(typeof member === 'string' && member.startsWith('#'));
  return isRemote ? 'only references into the schema itself (#/…) are allowed' : undefined;
};

const decodePart = (part: string): string => part.replaceAll('~1', '/').replaceAll('~0', '~');
