import { ExactNumber, parseJson, type Json } from '@foldwork/events/contracts';
import { isAlias, isMap, isPair, isScalar, isSeq, LineCounter, parseDocument, visit, type Alias, type Document, type Node, type Pair, type Scalar, type YAMLError } from 'yaml';
import type { Diagnostic } from './diagnostic';
import { jsonFaults, MAX_JSON_DEPTH } from './json-faults';
import { formatPointer } from './pointer';
import { offsetInSource } from './scalar-offset';
import type { Segment } from './task-type.definition';

/** Where in the text something stands. */
export interface Place {
  readonly line: number;
  readonly column: number;
}

/** A definition as it came: its value, and where each part of it stands. */
export interface DefinitionSource {
  readonly value: Json | undefined;
  readonly diagnostics: readonly Diagnostic[];
  /** The place of the value at a path, of its key, or of a character inside its text; of the nearest container if there is no such value. */
  locate(at: readonly Segment[], target?: { readonly isKey?: boolean; readonly position?: number }): Place;
}

export const MAX_SOURCE_BYTES = 256 * 1024;
/** Anchors may be used, but not to blow a small text up. */
const MAX_ALIASES = 100;

/** A JS value as source: faults have no line but a pointer. */
export const sourceOfValue = (value: unknown): DefinitionSource => {
  const faults = jsonFaults(value);
  return {
    value: faults.length === 0 ? (value as Json) : undefined, // it has just been found to be JSON
    diagnostics: faults.map(({ at, ...fault }) => ({ severity: 'error', ...fault, line: 1, column: 1, pointer: formatPointer(at) })),
    locate: () => ({ line: 1, column: 1 }),
  };
};

/** YAML 1.2, or JSON, of which YAML is a superset: one parser gives the places for both. */
export const sourceOfText = (text: string, format: 'yaml' | 'json' = 'yaml'): DefinitionSource => {
  if (byteLength(text) > MAX_SOURCE_BYTES) return refusedSource('too_large', 'A definition may have 256 KiB');
  const lines = new LineCounter();
  try {
    return new ParsedSource(text, format, lines).source;
  } catch (error) {
    if (error instanceof RangeError) return refusedSource('too_deep', `Nested more than ${MAX_JSON_DEPTH} levels deep`);
    throw error;
  }
};

const refusedSource = (code: string, message: string): DefinitionSource => ({
  value: undefined,
  diagnostics: [{ code, severity: 'error', message, line: 1, column: 1, pointer: '' }],
  locate: () => ({ line: 1, column: 1 }),
});

/** UTF-8 bytes, without an encoder: the domain has none. */
const byteLength = (text: string): number => {
  if (text.length * 3 <= MAX_SOURCE_BYTES) return text.length;
  let bytes = 0;
  for (const character of text) {
    const code = character.codePointAt(0) ?? 0;
    bytes += code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
  }
  return bytes;
};

class ParsedSource {
  private readonly document: Document;
  private readonly found: Diagnostic[] = [];

  constructor(
    private readonly text: string,
    private readonly format: 'yaml' | 'json',
    private readonly lines: LineCounter,
  ) {
    if (maxFlowDepth(text) > MAX_JSON_DEPTH * 2) throw new RangeError('too deep');
    this.document = parseDocument(text, { lineCounter: lines, version: '1.2', schema: 'core', uniqueKeys: true, merge: false, prettyErrors: false, stringKeys: true });
  }

  get source(): DefinitionSource {
    this.reportSyntax();
    if (this.found.length === 0) this.reportTags();
    const value = this.found.length === 0 ? this.toJson() : undefined;
    const locate: DefinitionSource['locate'] = (at, target = {}) => this.locate(at, target);
    return { value: this.found.some(({ severity }) => severity === 'error') ? undefined : value, diagnostics: this.found, locate };
  }

  private reportSyntax(): void {
    for (const error of this.document.errors) this.reportSyntaxError(error);
    for (const warning of this.document.warnings) this.report('yaml_tag', sentence(warning.message), warning.pos[0]);
    if (this.format === 'json' && this.found.length === 0 && !isJsonText(this.text)) this.report('json_syntax', 'This is YAML, not JSON', 0);
  }

  private reportSyntaxError({ code, message, pos }: YAMLError): void {
    const kind = SYNTAX_CODES[code] ?? (this.format === 'json' ? 'json_syntax' : 'yaml_syntax');
    this.report(kind, OWN_WORDS[code]?.(this.text.slice(pos[0])) ?? sentence(message), pos[0]);
  }

  /** Tags, and what YAML 1.1 had besides. */
  private reportTags(): void {
    visit(this.document, {
      Node: (_key, node) => {
        if (!isAlias(node) && node.tag !== undefined && !CORE_TAGS.has(node.tag)) this.report('yaml_tag', `The tag ${node.tag} is not allowed`, node.range?.[0] ?? 0);
      },
      Pair: (_key, { key }) => {
        if (isScalar(key) && key.value === '<<' && key.type === 'PLAIN') this.report('yaml_merge', 'YAML 1.2 has no merge key `<<`: write the fields out', startOf(key));
      },
    });
  }

  /** Expands aliases within the bound and keeps numbers that a double cannot hold. */
  private toJson(): Json | undefined {
    visit(this.document, { Scalar: (_key, node) => keepExact(node) });
    try {
      const value: unknown = this.document.toJS({ maxAliasCount: MAX_ALIASES });
      for (const { at, ...fault } of jsonFaults(value)) this.add({ severity: 'error', ...fault, ...this.locate(at, {}), pointer: formatPointer(at) });
      return value as Json; // checked by the line above
    } catch (error) {
      if (!(error instanceof ReferenceError)) throw error;
      this.report('yaml_alias', 'Aliases blow this document up, or refer to themselves', this.firstAlias());
      return undefined;
    }
  }

  private firstAlias(): number {
    let offset = 0;
    visit(this.document, {
      Alias: (_key, node: Alias) => {
        offset = node.range?.[0] ?? 0;
        return visit.BREAK;
      },
    });
    return offset;
  }

  private report(code: string, message: string, offset: number): void {
    this.add({ code, severity: 'error', message, ...this.placeOf(offset), pointer: '' });
  }

  private add(diagnostic: Diagnostic): void {
    const isKnown = this.found.some(({ line, column, code }) => line === diagnostic.line && column === diagnostic.column && code === diagnostic.code);
    if (!isKnown) this.found.push(diagnostic);
  }

  private locate(at: readonly Segment[], { isKey, position }: { isKey?: boolean; position?: number }): Place {
    let node: Node | null = this.document.contents;
    let offset = startOf(node);
    for (const [depth, segment] of at.entries()) {
      const { key, value } = memberOf(this.resolve(node), segment);
      if (key === undefined && value === undefined) return this.placeOf(offset);
      const isLast = depth === at.length - 1;
      offset = isLast && isKey ? startOf(key ?? value) : startOf(value ?? key);
      node = value ?? null;
    }
    const scalar = this.resolve(node);
    if (position === undefined || !isScalar(scalar) || node !== scalar) return this.placeOf(offset);
    return this.placeOf(offsetInSource(this.text, scalar as Scalar, position));
  }

  private resolve(node: Node | null): Node | null {
    return isAlias(node) ? (node.resolve(this.document) ?? null) : node;
  }

  private placeOf(offset: number): Place {
    const { line, col } = this.lines.linePos(offset);
    return { line: Math.max(line, 1), column: Math.max(col, 1) };
  }
}

const SYNTAX_CODES: Readonly<Record<string, string>> = {
  DUPLICATE_KEY: 'duplicate_key',
  TAG_RESOLVE_FAILED: 'yaml_tag',
  BAD_ALIAS: 'yaml_alias',
  NON_STRING_KEY: 'wrong_type',
  RESOURCE_EXHAUSTION: 'too_deep',
};
/** Where the parser speaks to its programmer. They get the text from the fault on. */
const OWN_WORDS: Readonly<Record<string, (text: string) => string>> = {
  DUPLICATE_KEY: (text) => `The key ${JSON.stringify(/^["']?([^"':\s]*)/.exec(text)?.[1])} is there twice`,
  MULTIPLE_DOCS: () => 'A file holds one workflow, and a second document begins here',
  NON_STRING_KEY: () => 'A key must be text',
};
const CORE_TAGS: ReadonlySet<string> = new Set(['map', 'seq', 'str', 'int', 'float', 'bool', 'null'].map((name) => `tag:yaml.org,2002:${name}`));

const sentence = (message: string): string => message.split(' at line ')[0]?.replace(/:$/, '') ?? message;

const isJsonText = (text: string): boolean => {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
};

const NUMBER = /^-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?$/;
const keepExact = (node: Scalar): void => {
  const { value, source } = node;
  if (typeof value !== 'number' || source === undefined || !NUMBER.test(source)) return;
  if (source.replaceAll(/[^\d]/g, '').length < 16 && !/[eE]/.test(source)) return;
  const exact = exactNumber(source);
  if (exact) node.value = exact;
};

const startOf = (node: Node | null | undefined): number => node?.range?.[0] ?? 0;

const memberOf = (node: Node | null, segment: Segment): { key?: Node; value?: Node } => {
  if (isSeq(node)) return present(undefined, node.items[Number(segment)] as Node | undefined);
  if (!isMap(node)) return {};
  const pair = node.items.find((item) => isPair(item) && isScalar(item.key) && String(item.key.value) === String(segment)) as Pair<Node, Node | null> | undefined;
  return pair ? present(pair.key, pair.value ?? undefined) : {};
};
const present = (key: Node | undefined, value: Node | undefined): { key?: Node; value?: Node } => ({ ...(key && { key }), ...(value && { value }) });

/** Flow collections inside each other: the parser recurses into them, so they are counted before it runs. */
const maxFlowDepth = (text: string): number => {
  let [depth, deepest] = [0, 0];
  for (let index = 0; index < text.length; index++) {
    const character = text.charCodeAt(index);
    if (character === 0x5b || character === 0x7b) deepest = Math.max(deepest, ++depth);
    else if (character === 0x5d || character === 0x7d) depth = Math.max(0, depth - 1);
  }
  return deepest;
};

/** The number as it is written, if a double does not hold it. */
const exactNumber = (literal: string): ExactNumber | undefined => {
  const parsed = parseJson(literal);
  return parsed instanceof ExactNumber ? parsed : undefined;
};
