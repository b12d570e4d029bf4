/** Edits (insert, delete, replace, swap of neighbours) that turn one word into the other. */
const distance = (from: string, to: string): number => {
  let [beforeLast, last]: [number[], number[]] = [[], Array.from({ length: to.length + 1 }, (_, index) => index)];
  for (let row = 1; row <= from.length; row++) {
    const current = [row];
    for (let column = 1; column <= to.length; column++) {
      const isSame = from[row - 1] === to[column - 1];
      const isSwap = row > 1 && column > 1 && from[row - 1] === to[column - 2] && from[row - 2] === to[column - 1];
      current.push(
        Math.min(
          at(last, column) + 1,
          at(current, column - 1) + 1,
          at(last, column - 1) + (isSame ? 0 : 1),
          isSwap ? at(beforeLast, column - 2) + 1 : Infinity,
        ),
      );
    }
    [beforeLast, last] = [last, current];
  }
  return at(last, to.length);
};
const at = (row: readonly number[], index: number): number => row[index] ?? Infinity;

const MAX_LENGTH = 40;

/** The known word nearest to a mistyped one, if one is near enough. `on_success` finds `onSuccess`. */
export const nearest = (word: string, known: Iterable<string>): string | undefined => {
  const plain = simplify(word);
  if (plain.length > MAX_LENGTH) return undefined;
  let best: { word: string; edits: number } | undefined;
  for (const candidate of known) {
    if (candidate === word || candidate.length > MAX_LENGTH) continue;
    const edits = distance(plain, simplify(candidate));
    if (edits <= Math.max(1, Math.floor(plain.length / 3)) && edits < (best?.edits ?? Infinity)) best = { word: candidate, edits };
  }
  return best?.word;
};
const simplify = (word: string): string => word.toLowerCase().replaceAll(/[_-]/g, '');

/** To be spread into a fault. */
export const suggest = (word: string, known: Iterable<string>): { hint?: string } => {
  const found = nearest(word, known);
  return found === undefined ? {} : { hint: `Did you mean "${found}"?` };
};
