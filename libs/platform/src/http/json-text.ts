/**
 * What can be told from JSON text before it is parsed: how deep it goes and how many object members it spells out. One
 * pass, no allocation. Text that is not JSON gives numbers without meaning; the parser refuses it afterwards.
 */
export interface JsonShape {
  readonly depth: number;
  /** Members as written; more than the parsed value has means that a key stands there twice. */
  readonly members: number;
}

const QUOTE = 34;
const COLON = 58;
const BACKSLASH = 92;
const isOpening = (code: number): boolean => code === 91 || code === 123;
const isClosing = (code: number): boolean => code === 93 || code === 125;

export const scanJsonText = (text: string): JsonShape => {
  let depth = 0;
  let deepest = 0;
  let members = 0;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) at = endOfString(text, at);
    else if (code === COLON) members += 1;
    else if (isOpening(code)) deepest = Math.max(deepest, (depth += 1));
    else if (isClosing(code)) depth -= 1;
  }
  return { depth: deepest, members };
};

/** Index of the closing quote of the string that opens at `start`. */
const endOfString = (text: string, start: number): number => {
  let at = start + 1;
  while (at < text.length && text.charCodeAt(at) !== QUOTE) at += text.charCodeAt(at) === BACKSLASH ? 2 : 1;
  return at;
};
