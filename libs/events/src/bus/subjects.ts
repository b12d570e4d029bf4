/*
 * Names on the bus. A subject is a list of tokens joined by dots; whatever comes from people (pools, namespaces) becomes
 * a token by escaping, so that a dot or a wildcard in it can never reach a neighbour's subject.
 */
/** Small letters only: stream names are made of it in capitals, and two prefixes must never meet there. */
const PREFIX = /^[a-z][a-z0-9_-]{0,63}$/;
const UNSAFE = /[^A-Za-z0-9_-]/gu;
const IS_SAFE = /^[A-Za-z0-9_-]+$/;
const SUBJECT = /^[A-Za-z0-9_=$-]+(\.[A-Za-z0-9_=$-]+)*$/;

/** One token: letters, digits, `_` and `-` stay, all else becomes `=` and its hexadecimal code point. */
export const subjectToken = (text: string): string => {
  if (IS_SAFE.test(text)) return text;
  if (text === '') return '=';
  return text.replace(UNSAFE, (character) => `=${(character.codePointAt(0) ?? 0).toString(16)}=`);
};

/** A few subjects per pool: room for several servers to share a pool's work. */
export const stepPartition = (runId: string, partitions: number): number => {
  if (partitions <= 1) return 0;
  let sum = 0;
  for (let index = 0; index < runId.length; index += 1) sum = (Math.imul(sum, 31) + runId.charCodeAt(index)) >>> 0;
  return sum % partitions;
};

/** Where an event stands in the feed, below `<prefix>.events`: for `FeedMessage.subject`. */
export const feedSubject = (namespace: string, runId: string, type: string): string =>
  `${subjectToken(namespace)}.${subjectToken(runId)}.${subjectToken(type)}`;

/** Returns a subject that is made of plain tokens; throws `TypeError` on anything else (blanks, wildcards, empty tokens). */
export const plainSubject = (subject: string): string => {
  if (!SUBJECT.test(subject)) throw new TypeError(`Not a subject: ${JSON.stringify(subject)}`);
  return subject;
};

/** What stands in front of every subject, and in capitals of every stream, of one installation. */
export const busPrefix = (prefix: string): string => {
  if (!PREFIX.test(prefix)) throw new TypeError(`Not a prefix for the bus: ${JSON.stringify(prefix)}`);
  return prefix;
};
