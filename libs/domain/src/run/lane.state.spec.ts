import { newEvent, RUN_STREAM, type DomainEvent } from '@foldwork/events/contracts';
import { runIdAt } from '@foldwork/testing';
import { admissible, emptyLaneBook, foldLanes, lacksRequest } from './lane.state';

const runId = runIdAt(1);
const recorded = (event: DomainEvent) => newEvent({ runId, namespace: 'default', metadata: { actor: 'test' } }, RUN_STREAM, 1, event, true);
const lane = { key: 'shop', limit: 1 };
const requested = recorded({ type: 'RunRequested', data: { workflow: 'w', definition: 'd' as never, input: {}, at: 1, retry: { delayMs: 0, maximum: 0 }, lane } });
const admitted = recorded({ type: 'RunAdmitted', data: { lane: 'shop', at: 2 } });
const failed = (retryAt?: number) => recorded({ type: 'RunFailed', data: { error: { code: 'NO', message: 'no' }, at: 3, ...(retryAt !== undefined && { retryAt }) } });
const retried = (automatic: boolean) => recorded({ type: 'RunRetried', data: { attempt: 2, automatic, tasks: [], at: 4 } });

it('remembers nothing of a run that failed; with its request it is told again where it queues when it is tried again', () => {
  const book = emptyLaneBook();
  for (const event of [requested, admitted, failed()]) foldLanes(book, event);
  expect([book.lanes.size, book.places.size]).toEqual([0, 0]);
  expect(lacksRequest(book, retried(false))).toBe(true);
  for (const event of [requested, retried(false)]) foldLanes(book, event);
  expect(admissible(book)).toEqual([{ runId, lane: 'shop' }]);
  expect(lacksRequest(book, retried(false))).toBe(false);
});

it('keeps the place of a run that is tried again by itself', () => {
  const book = emptyLaneBook();
  for (const event of [requested, admitted, failed(9), retried(true)]) foldLanes(book, event);
  expect([book.lanes.get('default/shop')?.running.has(runId), admissible(book)]).toEqual([true, []]);
});

it('asks for no request of a run that is tried again by itself: it is in no lane, or known', () => {
  expect(lacksRequest(emptyLaneBook(), retried(true))).toBe(false);
});
