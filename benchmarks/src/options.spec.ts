import { parseOptions } from './options';

describe('options of the benchmark', () => {
  it('measures all workloads and the limits unless told otherwise, the soak only by name', () => {
    expect([...parseOptions([]).parts]).toEqual(['W1', 'W2', 'W3', 'W4', 'W5', 'W6', 'limits']);
    expect([...parseOptions(['--only', 'W1, memory']).parts]).toEqual(['W1', 'memory']);
  });

  it('refuses what it does not know', () => {
    expect(() => parseOptions(['--only', 'W9'])).toThrow('W9');
    expect(() => parseOptions(['--rounds', '0'])).toThrow('--rounds');
    expect(() => parseOptions(['--fast'])).toThrow('--fast');
  });
});
