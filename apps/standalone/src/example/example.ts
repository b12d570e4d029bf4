import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { ExampleApi, type ExampleServer } from './example-api';
import { followRuns } from './follow-runs';

/** What `examples/<name>/example.mjs` exports as `default`. */
export interface Example {
  readonly title: string;
  /** Files with definitions, published in this order. */
  readonly workflows: readonly string[];
  /** Modules of actions. */
  readonly actions?: readonly string[];
  /** Stand-ins for what the workflow talks to; `env` is for the actions. */
  startServices?(): Promise<ExampleServices>;
  /** Starts runs and checks what became of them. Rejects when that is not what it should be. */
  play(stage: ExampleStage): Promise<void>;
}

export interface ExampleServices {
  readonly env?: Readonly<Record<string, string>>;
  close(): Promise<void>;
}

export interface ExampleStage {
  readonly api: ExampleApi;
  readonly services: ExampleServices | undefined;
  /** For services that call back. */
  readonly server: ExampleServer;
  readonly say: (text: string) => void;
}

export interface LoadedExample {
  readonly folder: string;
  readonly example: Example;
}

/** Rejects when there is no such example. */
export const loadExample = async (folder: string): Promise<LoadedExample> => {
  const loaded = (await import(pathToFileURL(join(folder, 'example.mjs')).href)) as { default: Example }; // plain JavaScript, ours
  return { folder, example: loaded.default };
};

/** Paths of the modules whose actions the server has to load. */
export const actionsOf = ({ folder, example }: LoadedExample): string[] => (example.actions ?? []).map((file) => join(folder, file));

/** Publishes the definitions and plays; what the runs do is said as it happens. */
export const playExample = async ({ folder, example }: LoadedExample, server: ExampleServer, services: ExampleServices | undefined, say: (text: string) => void): Promise<void> => {
  const api = new ExampleApi(() => server);
  for (const file of example.workflows) await api.publish(await readFile(join(folder, file), 'utf8'));
  const following = followRuns(api, say);
  try {
    await example.play({ api, services, server, say });
  } finally {
    await following.stop();
  }
};
