import type { EditorSchema } from './editor-schema';

type Schema = { readonly [keyword: string]: unknown };

export interface ReferenceParts {
  readonly schema: EditorSchema;
  /** Names of the task types in the order of the document. */
  readonly types: readonly string[];
  /** Functions beyond those of CEL itself. */
  readonly functions: readonly string[];
  /** A whole definition as YAML. */
  readonly example: string;
}

/** The definition reference as Markdown, all of it from the schema that editors get. */
export const referenceDocument = ({ schema, types, functions, example }: ReferenceParts): string => {
  const definitions = schema['definitions'] as Readonly<Record<string, Schema>>; // the generator puts the types there
  const typeSchemas = types.map((type) => ({ type, schema: definitions[`${type}Task`] ?? {} }));
  const common = commonFields(typeSchemas.map((each) => each.schema));
  return [
    '# Definition reference',
    'What a workflow file may say. This page is generated from the schema that validates definitions and that editors get from `workflow.v1.schema.json`; `UPDATE_DOCS=1` with the test of `reference-document.ts` writes it anew.',
    '## Document',
    table(fieldsOf(schema)),
    '## Fields common to all types',
    table(common),
    ...typeSchemas.flatMap(({ type, schema: own }) => [`## ${type}`, String(own['description'] ?? ''), table(fieldsOf(own).filter((field) => isOwn(field, common)))]),
    '## Expressions',
    `Functions beyond those of CEL: ${functions.map((name) => `\`${name}\``).join(', ')}. \`matches\` takes RE2 patterns.`,
    '## Everything in one document',
    `\`\`\`yaml\n${example.trim()}\n\`\`\``,
  ].join('\n\n') + '\n';
};

interface Field {
  readonly name: string;
  readonly isRequired: boolean;
  readonly type: string;
  readonly text: string;
}

const fieldsOf = (schema: Schema, prefix = ''): Field[] => {
  const required = new Set(schema['required'] as readonly string[] | undefined);
  return Object.entries((schema['properties'] ?? {}) as Readonly<Record<string, Schema>>).flatMap(([key, property]) => {
    const name = `${prefix}${key}`;
    const field = { name, isRequired: required.has(key) || name === 'id', type: typeOf(property), text: String(property['description'] ?? '') };
    return [field, ...fieldsOf(objectIn(property), `${name}.`)];
  });
};

/** The map whose fields are listed below a field: itself, or what it is a list or a choice of. */
const objectIn = (schema: Schema): Schema => {
  if (schema['properties']) return schema;
  const inner = [schema['items'], schema['additionalProperties'], ...((schema['anyOf'] ?? []) as readonly unknown[])];
  return (inner.find((each) => typeof each === 'object' && each !== null && 'properties' in each) as Schema | undefined) ?? {};
};

const typeOf = (schema: Schema): string => {
  if (schema['const'] !== undefined) return `\`${String(schema['const'])}\``;
  if (Array.isArray(schema['enum'])) return schema['enum'].map((value) => `\`${String(value)}\``).join(', ');
  if (Array.isArray(schema['anyOf'])) return [...new Set((schema['anyOf'] as readonly Schema[]).map(typeOf))].join(' or ');
  if (schema['$ref'] !== undefined || schema['allOf'] !== undefined) return 'task';
  if (schema['type'] === 'array') return `list of ${typeOf((schema['items'] ?? {}) as Schema)}`;
  const names: Readonly<Record<string, string>> = { object: 'map', integer: 'whole number', boolean: 'true or false', string: 'text', number: 'number' };
  return names[String(schema['type'])] ?? 'any';
};

const commonFields = ([first = {}, ...others]: readonly Schema[]): Field[] => {
  const names = others.map((other) => new Map(fieldsOf(other).map((field) => [field.name, row(field)])));
  return fieldsOf(first).filter((field) => names.filter((known) => known.get(field.name) === row(field)).length >= names.length - 1);
};
const isOwn = (field: Field, common: readonly Field[]): boolean => !common.some((each) => row(each) === row(field));

const row = ({ name, isRequired, type, text }: Field): string => `| \`${name}\` | ${isRequired ? 'yes' : ''} | ${escaped(type)} | ${escaped(text)} |`;
const escaped = (text: string): string => text.replaceAll('|', '\\|').replaceAll('\n', ' ');
const table = (fields: readonly Field[]): string => ['| Field | Required | Value | Meaning |', '|---|---|---|---|', ...fields.map(row)].join('\n');
