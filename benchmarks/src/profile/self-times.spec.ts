import { timesByName, type CpuProfile } from './self-times';

const node = (id: number, functionName: string, url: string, children: number[] = []) => ({ id, callFrame: { functionName, url, lineNumber: 0 }, children });

/** root → a (libs/events) → write (node) ; a → a (recursion) ; root → idle. One sample each, 1 ms. */
const profile: CpuProfile = {
  nodes: [
    node(1, '(root)', '', [2, 5]),
    node(2, 'a', 'file:///x/dist/libs/events/src/log/a.js', [3, 4]),
    node(3, 'write', 'node:net'),
    node(4, 'a', 'file:///x/dist/libs/events/src/log/a.js'),
    node(5, '(idle)', ''),
  ],
  samples: [2, 3, 4, 5],
  timeDeltas: [1_000, 1_000, 1_000, 1_000],
};

describe('times of a profile', () => {
  it('counts recursion once and leaves waiting out', () => {
    const { sumMs, own, total } = timesByName(profile);
    expect(sumMs).toBe(3);
    expect(own.get('a libs/events/src/log/a.js:1')).toBe(2);
    expect(total.get('a libs/events/src/log/a.js:1')).toBe(3);
  });

  it('puts what Node does down to the package that called it', () => {
    expect(timesByName(profile).byPackage.get('libs/events/src/log')).toBe(3);
  });
});
