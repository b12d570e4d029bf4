import { InMemoryCheckpointStore } from './checkpoint-store.port';
import { InMemoryDefinitionStore } from './definition-store.port';
import { describeEventLog } from './event-log.contract';
import { InMemoryEventLog } from './in-memory-event-log.adapter';

describeEventLog('in memory', async () => {
  const log = new InMemoryEventLog();
  return { log, checkpoints: new InMemoryCheckpointStore(), definitions: new InMemoryDefinitionStore(), close: () => log.close() };
});
