import { definitionHash } from '../definition/definition-hash';
import { compileDefinition } from '../plan/compile-definition';
import { parseDefinition } from '../task-types/built-in-language';
import { DEFAULT_RETRY, isRetryable, retryDelayMs } from './retry-policy';

describe('retry policy', () => {
  it('[S3-48] waits initial x coefficient^(n-2), at most the maximum', () => {
    expect([2, 3, 4, 5, 6, 7, 8, 9].map((attempt) => retryDelayMs(DEFAULT_RETRY, attempt))).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000]);
    expect(retryDelayMs({ ...DEFAULT_RETRY, initialIntervalMs: 333, backoffCoefficient: 1.5 }, 4)).toBe(749);
  });

  it('an error that is final by its code, or by the definition, is not retried', () => {
    const policy = { ...DEFAULT_RETRY, nonRetryableErrors: ['BAD'] };
    expect(['BAD', 'EXPRESSION_ERROR', 'ACTION_FAILED'].map((code) => isRetryable(policy, { code, message: '' }))).toEqual([false, false, true]);
  });

  it('[S3-48] engine < document < task, field by field; what the engine does itself is tried again only where the task says so', () => {
    const { definition } = parseDefinition(`
workflow: levels
retry: { maximumAttempts: 5, initialInterval: 2s }
tasks:
  - { id: a, type: basic, action: step, retry: { initialInterval: 3s } }
  - { id: b, type: basic, action: step, retry: { maximumAttempts: 2, backoffCoefficient: 3 } }
  - { id: c, type: composite, tasks: [ { id: d, type: basic, action: step } ] }
  - { id: e, type: composite, retry: { maximumAttempts: 2 }, tasks: [ { id: f, type: basic, action: step } ] }
`);
    if (definition === undefined) throw new Error('it is a good definition');
    const { tasks } = compileDefinition(definition, definitionHash(definition));
    const of = (path: string) => {
      const { maximumAttempts, initialIntervalMs, backoffCoefficient } = tasks.get(path)?.retry ?? DEFAULT_RETRY;
      return [maximumAttempts, initialIntervalMs, backoffCoefficient];
    };
    expect(['a', 'b', 'c', 'c/d', 'e'].map(of)).toEqual([[5, 3_000, 2], [2, 2_000, 3], [1, 2_000, 2], [5, 2_000, 2], [2, 2_000, 2]]);
  });
});
