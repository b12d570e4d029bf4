import type { z } from 'zod';
import type { TextFault } from './checks/check-expressions';
import type { Definition } from './definition';
import { sourceOfText, sourceOfValue, type DefinitionSource } from './definition-source';
import type { Diagnostic } from './diagnostic';
import { documentSchema } from './document.definition';
import { buildEditorSchema, type EditorSchema } from './editor-schema';
import { cutOut, faultyTaskType } from './faulty-task';
import { formatPointer } from './pointer';
import { StaticChecks } from './static-checks';
import type { ActionCatalog, CheckContext, TaskTypeDefinition } from './task-type.definition';
import { faultsOfIssues, valueAt, type SchemaFault } from './zod-faults';

export interface CheckOptions {
  /** Absent: actions are not known here, so their names and effects are not checked. */
  readonly actions?: ActionCatalog;
}
export interface ParseOptions extends CheckOptions {
  readonly format?: 'yaml' | 'json';
}

/** `definition` is there when no diagnostic is an error. */
export interface CheckedDefinition {
  readonly definition?: Definition;
  /** All faults, each once, in the order of the text. */
  readonly diagnostics: readonly Diagnostic[];
}

export interface DefinitionLanguage {
  parseDefinition(text: string, options?: ParseOptions): CheckedDefinition;
  checkDefinition(value: unknown, options?: CheckOptions): CheckedDefinition;
  /** JSON Schema (draft-07) for editors. */
  editorSchema(): EditorSchema;
}

/** The language of the given task types; nothing in it names a type. */
export const createDefinitionLanguage = (taskTypes: readonly TaskTypeDefinition[]): DefinitionLanguage => {
  const language = new Language(taskTypes);
  return {
    parseDefinition: (text, options = {}) => language.check(sourceOfText(text, options.format), options),
    checkDefinition: (value, options = {}) => language.check(sourceOfValue(value), options),
    editorSchema: () => buildEditorSchema(language.strict, taskTypes),
  };
};

/** Each round uncovers what the one before hid: a part that was cut out is missing, then the task around it. */
const MAX_CUTS = 6;

class Language {
  readonly strict: z.ZodType<Definition>;
  private readonly lenient: z.ZodType<Definition>;
  private readonly types: ReadonlyMap<string, TaskTypeDefinition>;

  constructor(taskTypes: readonly TaskTypeDefinition[]) {
    const all = [...taskTypes, faultyTaskType];
    this.strict = documentSchema(taskTypes);
    this.lenient = documentSchema(all);
    this.types = new Map(all.map((type) => [type.type, type]));
  }

  check(source: DefinitionSource, { actions }: CheckOptions): CheckedDefinition {
    const { value } = source;
    if (value === undefined) return { diagnostics: source.diagnostics };
    const parsed = this.strict.safeParse(value);
    const schemaFaults = parsed.success ? [] : faultsOfIssues(parsed.error.issues, value);
    const readable = parsed.success ? parsed.data : this.readable(value, schemaFaults);
    const context: CheckContext = { actions, breakers: keysOf(valueAt(value, ['breakers'])) };
    const staticFaults = readable ? new StaticChecks(readable, this.types, context, schemaFaults.map(({ at }) => at)).run() : [];
    const diagnostics = inOrder([...source.diagnostics, ...schemaFaults.map((fault) => locate(fault, source)), ...staticFaults.map((fault) => locate(fault, source))]);
    const isSound = parsed.success && diagnostics.every(({ severity }) => severity !== 'error');
    return isSound ? { definition: parsed.data, diagnostics } : { diagnostics };
  }

  /** What is left of a definition when its faulty parts are cut out. */
  private readable(value: unknown, faults: readonly SchemaFault[]): Definition | undefined {
    let [rest, open] = [value, faults];
    for (let cut = 0; cut < MAX_CUTS; cut++) {
      rest = cutOut(rest, open);
      const parsed = this.lenient.safeParse(rest);
      if (parsed.success) return parsed.data;
      open = faultsOfIssues(parsed.error.issues, rest);
    }
    return undefined;
  }
}

const keysOf = (value: unknown): ReadonlySet<string> => new Set(typeof value === 'object' && value !== null ? Object.keys(value) : []);

const locate = (fault: TextFault & SchemaFault, source: DefinitionSource): Diagnostic => {
  const { at, code, message, severity = 'error', hint, isKey = false, position } = fault;
  const place = source.locate(at, { isKey, ...(position === undefined ? {} : { position }) });
  return { code, severity, message, ...(hint === undefined ? {} : { hint }), ...place, pointer: formatPointer(at) };
};

const inOrder = (diagnostics: readonly Diagnostic[]): Diagnostic[] => {
  const unique = new Map(diagnostics.map((diagnostic) => [JSON.stringify(diagnostic), diagnostic]));
  return [...unique.values()].toSorted((left, right) => left.line - right.line || left.column - right.column);
};
