/** One metric as it goes over the wire; the same object whenever the same name and labels are asked for. */
export interface Metric {
  readonly name: string;
  readonly tags: readonly string[];
}

/**
 * Names of metrics. A label stands inside the name (`steps.upload.started`) or beside it as a DogStatsD tag
 * (`steps.started`, `step:upload`).
 */
export class Metrics {
  private readonly labelled = new Map<string, Metric>();
  private readonly steps = new Map<string, StepMetrics>();
  readonly queued = metric('runs.queued');
  readonly retries = metric('retries');
  readonly taskDuration = metric('tasks.duration');
  readonly taskQueue = metric('tasks.queue');

  constructor(private readonly labels: 'name' | 'tags') {}

  runStatus(status: string): Metric {
    return this.ending('runs.status', 'status', status);
  }

  runDuration(status: string): Metric {
    return this.ending('runs.duration', 'status', status);
  }

  taskStatus(status: string): Metric {
    return this.ending('tasks', 'status', status);
  }

  verification(answer: string): Metric {
    return this.ending('verifications', 'answer', answer);
  }

  /** `path`: where the task stands in its run; items of a collection and visits of a loop share one label. */
  step(path: string): StepMetrics {
    const known = this.steps.get(path);
    if (known !== undefined) return known;
    if (this.steps.size >= CACHE_MAX) this.steps.clear();
    const made = this.makeStep(stepLabel(path));
    this.steps.set(path, made);
    return made;
  }

  private makeStep(label: string): StepMetrics {
    const one = (suffix: string): Metric =>
      this.intern(
        this.labels === 'tags' ? metric(`steps.${suffix}`, `step:${label}`) : metric(`steps.${label}.${suffix}`),
      );
    return { started: one('started'), succeeded: one('succeeded'), failed: one('failed'), skipped: one('skipped'), duration: one('duration') };
  }

  private ending(name: string, label: string, value: string): Metric {
    return this.intern(this.labels === 'tags' ? metric(name, `${label}:${value}`) : metric(`${name}.${value}`));
  }

  private intern(wanted: Metric): Metric {
    const key = `${wanted.name}|${wanted.tags.join()}`;
    const known = this.labelled.get(key);
    if (known !== undefined) return known;
    if (this.labelled.size >= CACHE_MAX) this.labelled.clear();
    this.labelled.set(key, wanted);
    return wanted;
  }
}

export interface StepMetrics {
  readonly started: Metric;
  readonly succeeded: Metric;
  readonly failed: Metric;
  readonly skipped: Metric;
  readonly duration: Metric;
}

const CACHE_MAX = 10_000;

const metric = (name: string, ...tags: string[]): Metric => ({ name, tags });

const PLACE_IN_COLLECTION = /\[\d+\]|#\d+(?=\/|$)/g;
/** Everything that means something in a metric's name or on the wire. */
const UNSAFE = /[^A-Za-z0-9_-]/g;

export const stepLabel = (path: string): string =>
  path.replace(PLACE_IN_COLLECTION, '').replaceAll('/', '-').replace(UNSAFE, '_');
