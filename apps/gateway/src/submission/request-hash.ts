import { createHash } from 'node:crypto';
import { canonicalJson } from '@foldwork/domain';
import type { Json } from '@foldwork/events';

/** SHA-256, hex, of a request's meaning: the order of members does not count, the digits of a number do. */
export const requestHash = (request: Json): string => createHash('sha256').update(canonicalJson(request)).digest('hex');
