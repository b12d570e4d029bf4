import type { Segment } from './task-type.definition';

/** JSON pointer (RFC 6901). */
export const formatPointer = (at: readonly Segment[]): string =>
  at.map((segment) => `/${String(segment).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
