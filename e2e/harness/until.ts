/** Resolves with the first value that is not `undefined` or false. */
export const until = async <T>(what: string, look: () => Promise<T | undefined | false> | T | undefined | false, limitMs = 20_000): Promise<T> => {
  const end = performance.now() + limitMs;
  for (;;) {
    const found = await look();
    if (found !== undefined && found !== false) return found;
    if (performance.now() > end) throw new Error(`did not come within ${limitMs} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 15));
  }
};
