import { Environment } from '@marcbachmann/cel-js';
import { asCelNode, childrenOf, expanded, type CelNode } from './cel-syntax';
import { matchesLinear } from './linear-match';
import { registerListFunctions } from './list-functions';
import { registerNumberOperators } from './number-operators';

const LIMITS = { maxAstNodes: 3000, maxDepth: 64, maxListElements: 1000, maxMapEntries: 500, maxCallArguments: 32 };

const createEnvironment = (): Environment => {
  const environment = new Environment({
    unlistedVariablesAreDyn: true,
    homogeneousAggregateLiterals: false,
    enableOptionalTypes: true,
    limits: LIMITS,
  });
  registerNumberOperators(environment);
  registerListFunctions(environment);
  environment.registerFunction('string.matchesLinear(string): bool', matchesLinear);
  return environment;
};

const environment = createEnvironment();
export const parseCel = (source: string): ReturnType<Environment['parse']> => environment.parse(source);

const OWN: ReadonlySet<string> = new Set(['matchesLinear', 'joinAll']);
/** Names of all functions and macros, for "unknown function" and "did you mean". */
export const FUNCTION_NAMES: ReadonlySet<string> = new Set(
  environment.getDefinitions().functions.map(({ name }) => name).filter((name) => !OWN.has(name)),
);

/** The library's own versions of these cannot be registered over, so the calls go to ours before the types are checked. */
const REPLACED: ReadonlyMap<string, string> = new Map([['matches', 'matchesLinear'], ['join', 'joinAll']]);

export const redirectCalls = (root: Parameters<typeof asCelNode>[0]): void => redirect(asCelNode(root));
const redirect = (given: CelNode): void => {
  const node = expanded(given);
  if (node.op === 'rcall') {
    const args = node.args as [string, ...unknown[]];
    args[0] = REPLACED.get(args[0]) ?? args[0];
  }
  for (const child of childrenOf(node)) redirect(child.node);
};
