import { core, toJSONSchema } from 'zod';
import { copyJson, stringifyJson, type ActionEntry, type Json } from '@foldwork/events';
import { schemaFaults, schemaProblem } from '@foldwork/domain';
import type { Action } from './action';
import { ActionInvalid, defineAction } from './define-action';

/** Actions by name, as one executor has them. */
export class ActionRegistry {
  private readonly actions = new Map<string, Action<never>>();

  /** Throws `ActionInvalid` for a faulty action or a name that is taken. */
  register<I>(action: Action<I>): this {
    const checked = defineAction(action);
    if (this.actions.has(checked.name)) throw new ActionInvalid(checked.name, 'the name is taken; every action needs one of its own');
    requireSchema(checked);
    // what `run` takes is made sure of by `parseInput`
    this.actions.set(checked.name, checked as unknown as Action<never>);
    return this;
  }

  get(name: string): Action<never> | undefined {
    return this.actions.get(name);
  }

  /** What definitions are checked against. */
  entries(): ActionEntry[] {
    return [...this.actions.values()].map((action) => ({
      name: action.name,
      effect: action.effect,
      verify: action.verify !== undefined,
      ...(action.input !== undefined && { inputSchema: stringifyJson(inputSchema(action)) }),
    }));
  }
}

/** A schema that cannot be applied would refuse every input. One of zod 3 looks like a JSON Schema without rules. */
const requireSchema = <I>({ name, input }: Action<I>): void => {
  if (input === undefined || input instanceof core.$ZodType) return;
  const problem = typeof input === 'object' && '_def' in input ? 'it is made by a zod before version 4' : schemaProblem(input);
  if (problem !== undefined) throw new ActionInvalid(name, `its input schema cannot be used: ${problem}`);
};

const inputSchema = ({ input }: Action<never>): unknown => (input instanceof core.$ZodType ? toJSONSchema(input, { target: 'draft-7', unrepresentable: 'any', io: 'input' }) : input);

type ParsedInput = { readonly value: never } | { readonly faults: readonly string[] };

/**
 * The input as the action wants it, or what is wrong with it. It is the action's own to change: what it was made from
 * (variables, values of the definition) others are still to see.
 */
export const parseInput = (action: Action<never>, input: Json): ParsedInput => {
  try {
    return parse(action, copyJson(input));
  } catch (error) {
    // a schema is written by users too; one that fails would do so each time
    return { faults: [`its schema cannot be applied: ${error instanceof Error ? error.message : String(error)}`] };
  }
};

/** As many as of a JSON Schema. */
const FAULTS_MAX = 20;

const parse = ({ input: schema }: Action<never>, input: Json): ParsedInput => {
  // the schema, where there is one, is what makes the value the action's input type
  if (schema === undefined) return { value: input as never };
  if (!(schema instanceof core.$ZodType)) {
    const faults = schemaFaults(schema, input).map(String);
    return faults.length > 0 ? { faults } : { value: input as never };
  }
  const parsed = core.safeParse(schema, input);
  if (parsed.success) return { value: parsed.data as never };
  return { faults: parsed.error.issues.slice(0, FAULTS_MAX).map(({ path, message }) => `${path.length === 0 ? 'input' : path.join('.')}: ${message}`) };
};
