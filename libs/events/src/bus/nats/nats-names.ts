import { busPrefix, plainSubject, stepPartition, subjectToken } from '../subjects';
import type { HintTopic } from '../bus.port';

/** Every subject, stream and consumer name of one installation. */
export class NatsNames {
  readonly stepsStream: string;
  readonly stepsSubjects: string;
  readonly feedStream: string;
  readonly feedSubjects: string;

  constructor(private readonly prefix: string, private readonly partitions: number) {
    const capitals = busPrefix(prefix).toUpperCase();
    this.stepsStream = `${capitals}_STEPS`;
    this.stepsSubjects = `${prefix}.steps.>`;
    this.feedStream = `${capitals}_EVENTS`;
    this.feedSubjects = `${prefix}.events.>`;
  }

  step(pool: string, runId: string): string {
    return `${this.prefix}.steps.${subjectToken(pool)}.${stepPartition(runId, this.partitions)}`;
  }

  poolSubjects(pool: string): string {
    return `${this.prefix}.steps.${subjectToken(pool)}.*`;
  }

  poolConsumer(pool: string): string {
    return `pool_${subjectToken(pool)}`;
  }

  hint(topic: HintTopic): string {
    return `${this.prefix}.hint.${topic}`;
  }

  service(subject: string): string {
    return `${this.prefix}.${plainSubject(subject)}`;
  }

  feed(subject: string): string {
    return `${this.prefix}.events.${plainSubject(subject)}`;
  }
}
