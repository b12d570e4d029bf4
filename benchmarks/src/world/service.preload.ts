import { writeFileSync } from 'node:fs';
import { Session } from 'node:inspector';

/**
 * Loaded into each service before its own code (`--require`). It changes nothing of the service: it ends it when the
 * benchmark is gone, however that happened, and answers questions about profile and memory.
 */
export type ServiceQuestion = { readonly ask: 'startProfile' } | { readonly ask: 'stopProfile'; readonly file: string } | { readonly ask: 'memory' };
export interface ServiceAnswer {
  readonly answer: ServiceQuestion['ask'];
  readonly memory?: NodeJS.MemoryUsage;
}

const session = new Session();
const INTERVAL_US = 200;

const startProfile = (): void => {
  session.connect();
  session.post('Profiler.enable');
  session.post('Profiler.setSamplingInterval', { interval: INTERVAL_US });
  session.post('Profiler.start');
};

const stopProfile = (file: string): void => {
  session.post('Profiler.stop', (error, result) => {
    if (error === null) writeFileSync(file, JSON.stringify(result.profile));
  });
  session.disconnect();
};

const handle = (question: ServiceQuestion): ServiceAnswer => {
  switch (question.ask) {
    case 'startProfile':
      startProfile();
      return { answer: question.ask };
    case 'stopProfile':
      stopProfile(question.file);
      return { answer: question.ask };
    case 'memory':
      globalThis.gc?.();
      return { answer: question.ask, memory: process.memoryUsage() };
  }
};

process.on('disconnect', () => process.exit(1));
process.on('message', (question: ServiceQuestion) => process.send?.(handle(question)));
