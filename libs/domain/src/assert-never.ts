/** Ends a switch over a union: a member that is left out does not compile. */
export const assertNever = (value: never): never => {
  throw new Error(`unexpected: ${String(value)}`);
};
