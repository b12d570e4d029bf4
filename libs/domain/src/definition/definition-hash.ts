import { ExactNumber, type DefinitionHash, type Json } from '@foldwork/events/contracts';
import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js';
import type { Definition } from './definition';

/** RFC 8785: keys sorted by UTF-16 units, no spaces; an exact number keeps its literal, since no double has its value. */
export const canonicalJson = (value: Json): string => {
  if (value instanceof ExactNumber) return value.text;
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join()}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const keys = Object.keys(value).sort();
  return `{${keys.map((key) => `${JSON.stringify(key)}:${canonicalJson(value[key] as Json)}`).join()}}`;
};

/** Hex SHA-256 of the canonical JSON: the identity of a checked definition. */
export const definitionHash = (definition: Definition): DefinitionHash =>
  bytesToHex(sha256(utf8ToBytes(canonicalJson(definition as unknown as Json)))) as DefinitionHash; // a checked definition is JSON
