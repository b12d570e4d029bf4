import '@foldwork/platform/process-options';
import 'reflect-metadata';
import { mkdirSync } from 'node:fs';
import { resolve } from 'node:path';
import { createLogger, prepareSchema, readConfig, runUntilStopped, type Running } from '@foldwork/platform';
import { startEmbeddedPostgres } from './embedded-postgres';
import { firstKey } from './first-key';
import { lockFolder } from './folder-lock';
import { startStandalone } from './standalone';

const start = async (): Promise<Running> => {
  const config = readConfig(process.env);
  const logger = createLogger({ app: 'standalone', level: config.logLevel });
  const dataFolder = resolve(config.dataFolder);
  mkdirSync(dataFolder, { recursive: true });
  const unlock = lockFolder(dataFolder);
  const onLost = (message: string): never => {
    logger.fatal({ event: 'postgres_lost', message });
    process.exit(1); // nothing works without it; a restart recovers everything
  };
  const postgres = config.databaseUrl === undefined ? await startEmbeddedPostgres(dataFolder, onLost) : undefined;
  const databaseUrl = postgres?.url ?? config.databaseUrl ?? '';
  try {
    await prepareSchema({ ...config, databaseUrl }, logger);
    const key = config.auth ? await firstKey(databaseUrl, dataFolder, config.namespace) : undefined;
    const server = await startStandalone(config, databaseUrl, logger);
    announce(server.url, key, postgres?.dataFolder ?? 'the database of FOLDWORK_DATABASE_URL');
    const close = async (): Promise<void> => {
      await server.close();
      await postgres?.stop();
      unlock();
    };
    return { logger, close, timeoutMs: config.shutdownMs };
  } catch (error) {
    await postgres?.stop();
    unlock();
    throw error;
  }
};

const announce = (url: string, key: string | undefined, data: string): void => {
  process.stdout.write(`\nFoldwork is ready.\n  address  ${url}/orchestrator\n  key      ${key ?? '(authentication is off)'}\n  data     ${data}\n\n`);
  if (key !== undefined) process.stdout.write(`Try: curl -H 'authorization: Bearer ${key}' ${url}/orchestrator/runs\n\n`);
};

void runUntilStopped(start);
