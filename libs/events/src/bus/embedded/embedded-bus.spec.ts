import { busContract } from '../bus.contract';
import type { FeedMessage } from '../bus.port';
import { EmbeddedBus } from './embedded-bus.adapter';

busContract('the embedded bus', () => {
  const ackWaitMs = 100;
  const bus = new EmbeddedBus({ ackWaitMs });
  const feed: FeedMessage[] = [];
  bus.onFeed((message) => feed.push(message));
  return Promise.resolve({ here: bus, there: bus, ackWaitMs, readFeed: () => Promise.resolve(feed), close: () => bus.close() });
});
