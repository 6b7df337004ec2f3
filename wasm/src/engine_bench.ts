/** Runs the benchmark suites in slices, and reports rows and progress between them. */
import type { BenchRow, SuiteInfo } from './api_bench.js';
import { PlxError } from './errors.js';
import type { Results } from './generated/c_results.js';
import type { Heap } from './heap.js';
import type { BenchPlan, BenchReport, BenchRequest } from './rpc_bench.js';
import { breathe, type Job, SLICE_MS } from './slice.js';

export function listSuites(heap: Heap): SuiteInfo[] {
  const suites: SuiteInfo[] = [];
  for (let i = 0, name = 0; ; i++) {
    name = heap.c._plx_js_suite_name(i);
    if (name === 0) return suites;
    suites.push({
      name: heap.text(name),
      description: heap.text(heap.c._plx_js_suite_description(i)),
    });
  }
}

/** The values of plx_bench_size. */
const SIZE = { quick: 0, default: 1, full: 2 } as const;

/** The values of plx_field_kind. */
const TEXT = 0;
const NUMBER = 1;
const BOOLEAN = 2;

function fieldValue(heap: Heap, field: Results['field']): string | number | boolean | number[] {
  const { kind, number, count, text, numbers } = field;
  if (kind === TEXT) return text;
  if (kind === NUMBER) return number;
  if (kind === BOOLEAN) return number !== 0;
  return heap.doubles(numbers, count);
}

/** Sets the field at a path such as "samples.median". */
function setPath(row: BenchRow, path: string, value: unknown): void {
  const names = path.split('.');
  const last = names.pop() as string;
  let place = row;
  for (const name of names) {
    place[name] ??= {};
    place = place[name] as BenchRow;
  }
  place[last] = value;
}

function takeRows(heap: Heap): BenchRow[] {
  const rows: BenchRow[] = [];
  for (;;) {
    const fields = heap.c._plx_js_bench_take_row();
    if (fields === 0) return rows;
    /* The schema requires parameters, though a case may have none. */
    const row: BenchRow = { parameters: {} };
    for (let i = 0; i < fields; i++) {
      heap.c._plx_js_bench_field(i);
      const field = heap.read('field');
      setPath(row, field.path, fieldValue(heap, field));
    }
    row.compiler = heap.text(heap.c._plx_js_build_compiler());
    row.commit = heap.text(heap.c._plx_js_build_commit());
    rows.push(row);
  }
}

/** Copies in the module's memory that the benchmark points to, freed when it is over. */
class Loans {
  readonly #addresses: number[] = [];

  constructor(readonly heap: Heap) {}

  bytes(bytes: Uint8Array): number {
    const address = this.heap.copyIn(bytes);
    this.#addresses.push(address);
    return address;
  }

  text(text: string): number {
    return this.bytes(new TextEncoder().encode(`${text}\0`));
  }

  end(): void {
    for (const address of this.#addresses) this.heap.c._plx_js_free(address);
  }
}

function open(heap: Heap, request: BenchPlan, loans: Loans): void {
  const { mnist } = request;
  if (mnist) {
    heap.check(
      heap.c._plx_js_bench_digits(
        loans.bytes(mnist.images),
        mnist.images.length,
        loans.bytes(mnist.labels),
        mnist.labels.length,
        loans.text(mnist.source),
      ),
    );
  }
  heap.check(
    heap.c._plx_js_bench_new(
      loans.text(request.suites.join(',')),
      loans.text(request.cases.map((text) => `${text}\n`).join('')),
      SIZE[request.size],
      request.seed,
      request.seconds,
      request.rounds,
    ),
  );
}

/** Estimates how many milliseconds all cases would take, without measuring. */
export function expectedTime(heap: Heap, request: BenchPlan): number {
  const loans = new Loans(heap);
  try {
    open(heap, request, loans);
    return heap.c._plx_js_bench_expected_ms();
  } finally {
    heap.c._plx_js_bench_free();
    loans.end();
  }
}

/** Measures for about one slice. A case that fails is dropped, and the others continue. */
function advance(heap: Heap, began: number): { report: BenchReport; done: boolean } {
  const status = heap.c._plx_js_bench_advance(SLICE_MS * 1e6);
  const { done, name, ...how } = heap.read('bench');
  const milliseconds = performance.now() - began;
  const progress = { ...how, case: name, milliseconds };
  const failure = status === 0 ? undefined : heap.text(heap.c._plx_js_message());
  return {
    report: {
      rows: takeRows(heap),
      progress: failure === undefined ? progress : { ...progress, failure },
    },
    done,
  };
}

/** Runs all cases, or until the job is cancelled; rows finished by then are still reported. */
export async function runBench(
  heap: Heap,
  request: BenchRequest,
  job: Job,
  report: (report: BenchReport) => unknown,
): Promise<void> {
  const loans = new Loans(heap);
  const began = performance.now();
  let told: unknown;
  try {
    open(heap, request, loans);
    for (let done = false; !done; ) {
      if (job.cancelled) {
        heap.c._plx_js_bench_stop();
        await told;
        await report({ rows: takeRows(heap) });
        throw new PlxError('PLX_ERR_CANCELLED', 'bench: cancelled');
      }
      const step = advance(heap, began);
      done = step.done;
      /* A listener may be slow: measuring then waits, at most one slice ahead. */
      await told;
      told = job.told(report(step.report));
      await breathe();
    }
    /* The reply uses a different port from the reports: wait until the last one has arrived. */
    await told;
  } finally {
    heap.c._plx_js_bench_free();
    loans.end();
  }
}
