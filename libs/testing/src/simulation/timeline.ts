interface Appointment {
  readonly at: number;
  readonly order: number;
  readonly act: () => Promise<void>;
}

/** Simulated time: nothing happens between two appointments, so years pass in milliseconds. */
export class Timeline {
  private readonly heap: Appointment[] = [];
  private order = 0;

  constructor(public now: number) {}

  /** At the earliest in `delayMs`; appointments of one moment happen in the order in which they were made. */
  after(delayMs: number, act: () => Promise<void>): void {
    this.push({ at: this.now + Math.max(0, delayMs), order: (this.order += 1), act });
  }

  get isEmpty(): boolean {
    return this.heap.length === 0;
  }

  /** Lets the next appointment happen; false when there is none up to `until`. */
  async step(until = Infinity): Promise<boolean> {
    const next = this.heap[0];
    if (next === undefined || next.at > until) return false;
    this.pop();
    this.now = Math.max(this.now, next.at);
    await next.act();
    return true;
  }

  private push(appointment: Appointment): void {
    const { heap } = this;
    let index = heap.push(appointment) - 1;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (isBefore(heap[parent] as Appointment, appointment)) break;
      heap[index] = heap[parent] as Appointment;
      index = parent;
    }
    heap[index] = appointment;
  }

  private pop(): void {
    const { heap } = this;
    const last = heap.pop() as Appointment; // step looked that there is one
    if (heap.length === 0) return;
    let index = 0;
    for (let child = 1; child < heap.length; child = 2 * index + 1) {
      if (child + 1 < heap.length && isBefore(heap[child + 1] as Appointment, heap[child] as Appointment)) child += 1;
      if (isBefore(last, heap[child] as Appointment)) break;
      heap[index] = heap[child] as Appointment;
      index = child;
    }
    heap[index] = last;
  }
}

const isBefore = (a: Appointment, b: Appointment): boolean => a.at < b.at || (a.at === b.at && a.order < b.order);
