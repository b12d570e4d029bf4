import { inTrace, stringifyJson, type EventMetadata } from '@foldwork/events';
import { isByPlanner, isByPlannerNamed, plannerMetadata } from './planner-decision';

const traceparent = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`;
const signed = (metadata: EventMetadata) => ({ metadata: stringifyJson(metadata) });

it.each(['one', 'a "quoted" one'])('knows what the planner named %s decided, in a trace or not, from what others did', (name) => {
  const own = plannerMetadata(name);
  for (const event of [signed(own), signed(inTrace(own, traceparent))]) expect([isByPlanner(event), isByPlannerNamed(name)(event)]).toEqual([true, true]);
  const other = signed(plannerMetadata(`${name}-2`));
  expect([isByPlanner(other), isByPlannerNamed(name)(other)]).toEqual([true, false]);
});

it('takes nothing that a person wrote for the word of a planner', () => {
  for (const reason of [stringifyJson(plannerMetadata('one')), 'planner:one']) {
    const event = signed({ actor: 'user:ada', reason });
    expect([isByPlanner(event), isByPlannerNamed('one')(event)]).toEqual([false, false]);
  }
});
