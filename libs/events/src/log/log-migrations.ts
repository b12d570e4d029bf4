import { ApplicationRole1764000000001 } from './migrations/0001-application-role';
import { Events1764000000002 } from './migrations/0002-events';
import { LogMeta1764000000003 } from './migrations/0003-log-meta';
import { Checkpoints1764000000004 } from './migrations/0004-checkpoints';
import { Definitions1764000000005 } from './migrations/0005-definitions';
import { Immutability1764000000006 } from './migrations/0006-immutability';
import { Agenda1764000000011 } from '../coordination/migrations/0011-agenda';
import { AgendaWaits1764000000013 } from '../coordination/migrations/0013-agenda-waits';
import { ShardHolders1764000000015 } from '../coordination/migrations/0015-shard-holders';
import { Members1764000000012 } from '../coordination/migrations/0012-members';
import { AppendFunctions1764000000007 } from './migrations/0007-append-functions';
import { AppendEvent1764000000014 } from './migrations/0014-append-event';

/** The schema of the log and of what coordinates the services, for TypeORM's `migrations` option, in order. */
export const logMigrations = [
  ApplicationRole1764000000001,
  Events1764000000002,
  LogMeta1764000000003,
  Checkpoints1764000000004,
  Definitions1764000000005,
  Immutability1764000000006,
  AppendFunctions1764000000007,
  Agenda1764000000011,
  Members1764000000012,
  AgendaWaits1764000000013,
  AppendEvent1764000000014,
  ShardHolders1764000000015,
];
