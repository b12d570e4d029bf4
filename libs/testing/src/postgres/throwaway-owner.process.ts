import { startThrowawayPostgres } from './throwaway-postgres';

/** Owns a server until it is killed. */
void startThrowawayPostgres().then((server) => {
  process.send?.({ pid: server.pid(), folder: server.folder });
  setInterval(() => undefined, 1_000);
});
