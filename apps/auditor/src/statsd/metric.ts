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
  private readonly stepsByPath = new Map<string, StepMetrics>();
  private readonly stepsByLabel = new Map<string, StepMetrics>();
  private readonly rules = new Map<string, Metric>();
  readonly queued = metric('runs.queued');
  readonly retries = metric('retries');
  readonly taskDuration = metric('tasks.duration');
  readonly taskQueue = metric('tasks.queue');

  constructor(private readonly labels: 'name' | 'tags') {}

  readonly runStatus = this.labelled('runs.status', 'status');
  readonly runDuration = this.labelled('runs.duration', 'status');
  readonly taskStatus = this.labelled('tasks', 'status');
  readonly verification = this.labelled('verifications', 'answer');

  /** Tasks planned that follow this version of a type's rule. */
  planned(type: string, version: number): Metric {
    const key = `${type}@${version}`;
    const known = this.rules.get(key);
    if (known !== undefined) return known;
    const label = type.replace(UNSAFE, '_');
    const made = this.labels === 'tags' ? metric('tasks.planned', `type:${label}`, `version:${version}`) : metric(`tasks.planned.${label}.v${version}`);
    this.rules.set(key, made);
    return made;
  }

  /** `path`: where the task stands in its run; items of a collection and visits of a loop share one label. */
  step(path: string): StepMetrics {
    const known = this.stepsByPath.get(path);
    if (known !== undefined) return known;
    if (this.stepsByPath.size >= CACHE_MAX) this.stepsByPath.clear();
    const made = this.stepByLabel(stepLabel(path));
    this.stepsByPath.set(path, made);
    return made;
  }

  private stepByLabel(label: string): StepMetrics {
    const known = this.stepsByLabel.get(label);
    if (known !== undefined) return known;
    const one = (suffix: string): Metric =>
      this.labels === 'tags' ? metric(`steps.${suffix}`, `step:${label}`) : metric(`steps.${label}.${suffix}`);
    const made = { started: one('started'), succeeded: one('succeeded'), failed: one('failed'), skipped: one('skipped'), duration: one('duration') };
    if (this.stepsByLabel.size >= CACHE_MAX) this.stepsByLabel.clear();
    this.stepsByLabel.set(label, made);
    return made;
  }

  /** Values of these labels are words of the contracts: few, hence kept for good. */
  private labelled(name: string, label: string): (value: string) => Metric {
    const known = new Map<string, Metric>();
    return (value) => {
      const found = known.get(value);
      if (found !== undefined) return found;
      const made = this.labels === 'tags' ? metric(name, `${label}:${value}`) : metric(`${name}.${value}`);
      known.set(value, made);
      return made;
    };
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
