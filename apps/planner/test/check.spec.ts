import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { taskTypes, definitionHash, parseDefinition, checkDefinition, type TaskTypeModule } from '@foldwork/domain';
import { stringifyJson, type RecordedEvent } from '@foldwork/events';
import { EVERYTHING_WORKFLOWS, playStory, Simulation } from '@foldwork/testing';
import { checkLog, type RecordedLog } from '../src/check/check-log';
import { exportedLog } from '../src/check/recorded-logs';

const GOLDEN = join(__dirname, '../../../libs/events/src/contracts/golden');

const logOf = (events: readonly RecordedEvent[], bodies: ReadonlyMap<string, string>): Promise<RecordedLog> => {
  const lines = async function* () {
    for (const event of events) yield stringifyJson({ kind: 'event', event });
    for (const [hash, body] of bodies) yield stringifyJson({ kind: 'definition', namespace: events[0]?.namespace, hash, body });
  };
  return exportedLog(lines());
};
