const EVERYTHING = `
workflow: everything
tasks:
  - { id: draft, type: basic, action: step, effect: keyed, key: run.id, with: { effect: true, output: { n: 1 } } }
  - { id: pay, type: basic, action: step, effect: once, verify: { action: look, found: result.found }, with: { effect: true } }
  - id: images
    type: collection
    items: '1..3'
    mode: sequential
    each: [ { id: upload, type: basic, action: step, effect: once, verify: { action: look, found: result.found }, with: { effect: true } } ]
  - id: both
    type: parallel
    tasks:
      - { id: left, type: composite, tasks: [ { id: a, type: basic, action: step }, { id: nap, type: wait, for: 1s }, { id: b, type: basic, action: step } ] }
      - { id: right, type: composite, workflow: other }
  - { id: tell, type: signal, signal: { id: go, to: { run: '\${ run.id }' } } }
  - { id: hear, type: wait, waitFor: go, timeout: 1h, processor: { type: basic, action: step, with: { output: { heard: true } } } }
  - { id: pick, type: router, condition: "'x'", routes: { x: end1, y: end2 } }
  - { id: end1, type: basic, action: step, sleep: 500ms }
  - { id: end2, type: basic, action: step }
  - { id: sum, type: aggregate, outputs: { n: '\${ tasks.draft.output.n }' } }
`;
const OTHER = 'workflow: other\ntasks:\n  - { id: only, type: basic, action: step }';

/** Two workflows with one of everything: every kind of task, effect, wait and child. The one to request is `everything`. */
export const EVERYTHING_WORKFLOWS: readonly string[] = [OTHER, EVERYTHING];
