import type { Json } from '@foldwork/events/contracts';
import { compileExpression } from '../../expressions/expression';
import { FUNCTION_NAMES } from '../../expressions/cel-environment';
import { ExpressionError } from '../../expressions/expression-error';
import type { Reference } from '../../expressions/references';
import { compileTemplate } from '../../expressions/template';
import { suggest } from '../did-you-mean';
import type { ExpressionField, Fault, Segment } from '../task-type.definition';

/** A fault inside the text of a field: `position` counts its characters. */
export interface TextFault extends Fault {
  readonly position?: number;
}

/** A variable that a field reads, and where it does. */
export interface Use {
  readonly at: readonly Segment[];
  readonly reference: Reference;
}

export interface CheckedField {
  readonly faults: readonly TextFault[];
  readonly uses: readonly Use[];
}

const NOTHING: CheckedField = { faults: [], uses: [] };

/** Compiles one field with all the strings inside it. */
export const checkField = (value: Json, at: readonly Segment[], kind: ExpressionField['kind']): CheckedField => {
  if (typeof value === 'string') return checkText(value, at, kind);
  if (typeof value !== 'object' || value === null) return NOTHING;
  const members = Object.entries(value).map(([key, member]) => checkField(member, [...at, Array.isArray(value) ? Number(key) : key], kind));
  return { faults: members.flatMap(({ faults }) => faults), uses: members.flatMap(({ uses }) => uses) };
};

const checkText = (text: string, at: readonly Segment[], kind: ExpressionField['kind']): CheckedField => {
  try {
    if (kind === 'template') return { faults: [], uses: usesOf(at, compileTemplate(text).references.uses) };
    const { references, type } = compileExpression(text);
    const isNoCondition = kind === 'condition' && type !== 'bool' && type !== 'dyn';
    const faults = isNoCondition ? [{ at, code: 'expression_type', message: `A condition gives true or false, this one gives ${type}` }] : [];
    return { faults, uses: usesOf(at, references.uses) };
  } catch (error) {
    if (!(error instanceof ExpressionError)) throw error;
    return { faults: [textFault(error, at)], uses: [] };
  }
};

const usesOf = (at: readonly Segment[], uses: readonly Reference[]): Use[] => uses.map((reference) => ({ at, reference }));

const textFault = (error: ExpressionError, at: readonly Segment[]): TextFault => ({
  at,
  code: error.code === 'expression_undefined' ? 'unknown_function' : error.code,
  message: error.summary,
  ...(error.code === 'expression_undefined' && error.path !== undefined ? suggest(error.path, FUNCTION_NAMES) : {}),
  ...(error.position === undefined ? {} : { position: error.position }),
});
