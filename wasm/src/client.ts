/** Starts an engine: chooses a tier, gets its files, and falls back to the next tier on failure. */
import type {
  AbortSignalLike,
  Downgrade,
  EngineInfo,
  LoadOptions,
  Tier,
  TierSpeed,
} from './api.js';
import { checkWhole, kindOf } from './arrays.js';
import { Connection, type WorkerLike } from './connection.js';
import { PlxError } from './errors.js';
import { bytesOf } from './file_bytes.js';
import { cancelled } from './jobs.js';
import { marked } from './marks.js';
import {
  anything,
  callback,
  checkOptions,
  count,
  flag,
  type Rule,
  refuse,
  signal,
} from './options.js';
import type { ClientParallax } from './parallax.js';
import { askRelaxed } from './relaxed.js';
import type { EngineApi, EngineReport } from './rpc.js';
import { type Arrival, compileBytes } from './source.js';
import { chooseTier, isIsolated, isThreaded, sharesMemory, TIERS } from './tiers.js';

/** The differences between browsers, Node and the inline build. */
export interface Host {
  /** Compiles the .wasm file of a tier; url is the caller's, if given. told: hears of its bytes. */
  compile(tier: Tier, url: URL | undefined, told: Arrival | undefined): Promise<WebAssembly.Module>;
  /** Starts the engine of a tier, in a worker or in this thread; url is the caller's, if given. */
  spawn(tier: Tier, url: URL | undefined): WorkerLike | EngineApi;
  /** Name of the engine's worker file. */
  workerFile(tier: Tier): string;
  /** Most processors to use. */
  cpus(): number;
  /** Whether a worker that makes another may never be heard of again, as in Firefox 153. */
  freezes?(): boolean;
  /** The tier and the reason, if there is only one. */
  only?: { tier: Tier; reason: string };
}

/** A start that takes longer than this has hung. */
const TIMEOUT_MS = 20_000;
/** Milliseconds that a short first call has before workers of further threads start beside it. */
const FIRST_CALL_MS = 25;
/** An engine that makes its threads' workers takes milliseconds; one that takes this long is frozen. */
const FROZEN_MS = 3000;
/** Engines that are begun in place of frozen ones. In Firefox about one in a hundred freezes. */
const MOST_FROZEN = 3;
/** Memory of threaded tiers: the default, and the least and the most allowed. */
const MEMORY_MB = 512;
const LEAST_MEMORY_MB = 64;
const MOST_MEMORY_MB = 2048;
/** More workers than this cost more to start than they gain. */
const MOST_THREADS = 16;
const PAGES_PER_MB = 16;

type Location = LoadOptions['wasmURL'];

function locate(option: 'wasmURL' | 'workerURL', location: Location, tier: Tier): URL | undefined {
  if (location === undefined) return undefined;
  const url = typeof location === 'function' ? location(tier) : location;
  try {
    return new URL(
      typeof url === 'string' ? url : url.href,
      (globalThis as { location?: { href: string } }).location?.href,
    );
  } catch (cause) {
    throw new PlxError('PLX_ERR_ARGUMENT', `load: ${option}: "${String(url)}" is not a URL`, {
      cause,
    });
  }
}

/** Allocates fixed shared memory of the requested size or, if refused, of half of it, and so on. */
function newSharedMemory(megabytes: number, downgrades: Downgrade[]): WebAssembly.Memory {
  for (let size = megabytes; ; size = Math.floor(size / 2)) {
    const pages = size * PAGES_PER_MB;
    try {
      const memory = new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true });
      if (size !== megabytes) {
        const reason = `the browser did not allocate ${megabytes} MiB of shared memory`;
        downgrades.push({ wanted: `${megabytes} MiB`, got: `${size} MiB`, reason });
      }
      return memory;
    } catch (error) {
      if (!(error instanceof RangeError) || size / 2 < LEAST_MEMORY_MB) throw error;
    }
  }
}

function withTimeout<T>(promise: Promise<T>, milliseconds: number, message: string): Promise<T> {
  return new Promise((resolve, reject) => {
    const late = () => reject(new PlxError('PLX_ERR_IO', message));
    const timer = setTimeout(late, milliseconds);
    promise.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}

function compileTier(host: Host, tier: Tier, options: LoadOptions): Promise<WebAssembly.Module> {
  if (options.wasmModule) return Promise.resolve(options.wasmModule);
  if (options.wasmBinary) {
    const bytes = options.wasmBinary as Uint8Array<ArrayBuffer>;
    return compileBytes(
      bytes,
      'wasmBinary',
      'give it the bytes of a .wasm file of parallax-nn/dist',
    );
  }
  const { onProgress } = options;
  const told: Arrival | undefined =
    onProgress &&
    ((loaded, total) => onProgress({ tier, loaded, ...(total !== undefined && { total }) }));
  return host.compile(tier, locate('wasmURL', options.wasmURL, tier), told);
}

/** Rejects as soon as the signal aborts. */
async function unlessAborted<T>(
  signal: AbortSignalLike | undefined,
  work: () => Promise<T>,
): Promise<T> {
  if (!signal) return work();
  if (signal.aborted) throw cancelled('load', signal);
  let stop = () => {};
  const aborted = new Promise<never>((_, reject) => {
    stop = () => reject(cancelled('load', signal));
  });
  signal.addEventListener('abort', stop, { once: true });
  try {
    return await Promise.race([work(), aborted]);
  } finally {
    signal.removeEventListener('abort', stop);
  }
}

/**
 * Creates the client of an engine that has started; later: its info once all threads have joined.
 */
type Make<P extends ClientParallax> = (
  connection: Connection,
  info: EngineInfo,
  later: Promise<EngineInfo>,
) => P;

/** Options of a start, for a tier that is known, and how it was found. */
export interface Chosen extends LoadOptions {
  tier?: Tier;
  measured?: TierSpeed[];
}

/** One attempt to start one tier. */
class Start<P extends ClientParallax = ClientParallax> {
  readonly #downgrades: Downgrade[];
  #connection: Connection | undefined;
  /** Whether the engine's own worker was lost while it made those of its threads. */
  frozen = false;

  /** downgrades: what was given up before this attempt. */
  constructor(
    readonly host: Host,
    readonly make: Make<P>,
    readonly options: Chosen,
    readonly began: number,
    readonly tier: Tier,
    downgrades: readonly Downgrade[],
  ) {
    this.#downgrades = [...downgrades];
  }

  /** Creates the next attempt of the same call of load. */
  again(tier: Tier, ...downgrades: Downgrade[]): Start<P> {
    const { host, make, options, began } = this;
    return new Start(host, make, options, began, tier, [...this.#downgrades, ...downgrades]);
  }

  /** Whether the engine's own worker failed. */
  get workerFailed(): boolean {
    return this.#connection?.failed ?? false;
  }

  get #timeout(): number {
    return this.options.timeout ?? TIMEOUT_MS;
  }

  async run(): Promise<P> {
    try {
      const late =
        `load: the engine did not start within ${this.#timeout} ms: look for blocked files in ` +
        'the console, or give load() a longer timeout';
      const starting = () => withTimeout(this.#start(), this.#timeout, late);
      return await unlessAborted(this.options.signal, starting);
    } catch (error) {
      this.#connection?.end(new PlxError('PLX_ERR_STATE', 'this engine did not start'));
      throw error;
    }
  }

  get #elapsed(): number {
    return performance.now() - this.began;
  }

  async #start(): Promise<P> {
    const { host, tier, options } = this;
    const threaded = isThreaded(tier);
    const url = locate('workerURL', options.workerURL, tier);
    const file = url?.href ?? host.workerFile(tier);
    const spawned = host.spawn(tier, url);
    const connection = new Connection(spawned, file, threaded, options.debug);
    this.#connection = connection;
    /* The module is fetched and compiled while the worker starts. It is asked for before memory is
     * made, since so large a block makes the browser collect garbage first. */
    const compiling = compileTier(host, tier, options).then((module) => ({
      module,
      compiled: this.#elapsed,
    }));
    compiling.catch(() => {});
    const memory = threaded
      ? newSharedMemory(options.memoryMB ?? MEMORY_MB, this.#downgrades)
      : undefined;
    const preparing = connection
      .call((engine) => engine.prepare(memory ? { memory } : {}))
      .then(() => this.#elapsed);
    preparing.catch(() => {});
    const sharing = threaded ? sharesMemory() : true;
    /* Asked while the worker starts, when it costs no time. */
    const fused = tier === 'relaxed-threads' && askRelaxed().fused;
    const { module, compiled } = await compiling;
    if (!(await sharing)) {
      throw new PlxError('PLX_ERR_UNSUPPORTED', 'shared memory cannot be sent to a worker here');
    }
    const reproducible = options.reproducible ?? false;
    /* Sent without waiting for the answer to prepare, which it follows in the worker's queue. */
    const starting = connection.call((engine) => engine.start({ module, reproducible }));
    starting.catch(() => {});
    const worker = await preparing;
    const report = await starting;
    const startup = { compiled, worker, ready: this.#elapsed };
    const info = this.#info(report, startup, fused);
    const cpus = this.#cpus();
    if (cpus > 1 && host.freezes?.()) await this.#makeThreads(connection, cpus - 1);
    return this.make(connection, info, this.#join(connection, info, cpus));
  }

  /** Makes the workers of threads while another engine can still take the place of this one. */
  async #makeThreads(connection: Connection, count: number): Promise<void> {
    /* What fails here fails in setThreads again, which tells of it. */
    const made = connection.call((engine) => engine.makeThreads(count)).catch(() => {});
    try {
      await withTimeout(made, FROZEN_MS, `its worker froze when it made those of its threads`);
    } catch (error) {
      this.frozen = true;
      throw error;
    }
  }

  /** Waits for the threads and returns the new info; if they fail to start, there is one thread. */
  async #join(connection: Connection, info: EngineInfo, cpus: number): Promise<EngineInfo> {
    const threads = Math.min(this.options.threads ?? 0, cpus);
    const timeout = this.#timeout;
    const request = { cpus, threads, timeout };
    let report: Partial<EngineReport> = {};
    try {
      /* Timers here, and not in the engine: on a busy machine its worker was seen to stop in Firefox,
       * at a timer of its own or at the worker that it made next. */
      await new Promise((resolve) => setTimeout(resolve, FIRST_CALL_MS));
      const asked = connection.call((engine) => engine.setThreads(request));
      const late = `the engine added none within ${3 * timeout} ms`;
      const { fma: _, ...measured } = await withTimeout(asked, 3 * timeout, late);
      report = measured;
      if (threads > measured.threads)
        this.#fewer(measured.threads, 'the browser started no more workers');
    } catch (error) {
      if (connection.over) throw error;
      const { message } = error as Error;
      this.#fewer(1, `the workers of its threads did not start: ${message}`, cpus);
    }
    const startup = { ...info.startup, threads: this.#elapsed };
    return { ...info, ...report, startup, downgrades: this.#downgrades };
  }

  /** Number of threads: as many as requested, or as there are processors. */
  #cpus(): number {
    const wanted = this.options.threads;
    if (!isThreaded(this.tier)) return 1;
    if (wanted === undefined) return Math.min(this.host.cpus(), MOST_THREADS);
    if (wanted <= MOST_THREADS) return wanted;
    this.#fewer(MOST_THREADS, `an engine has at most ${MOST_THREADS} threads`);
    return MOST_THREADS;
  }

  #fewer(got: number, reason: string, wanted = this.options.threads): void {
    this.#downgrades.push({
      wanted: `${wanted} threads`,
      got: `${got} thread${got === 1 ? '' : 's'}`,
      reason,
    });
  }

  #info(report: EngineReport, startup: EngineInfo['startup'], fused: boolean): EngineInfo {
    const { threads: wanted = 1 } = this.options;
    if (!isThreaded(this.tier)) {
      if (wanted > 1) this.#fewer(1, 'the tier simd has one thread');
      const { memoryMB } = this.options;
      const reason = 'the tier simd has no fixed memory';
      if (memoryMB) this.#downgrades.push({ wanted: `${memoryMB} MiB`, got: 'no limit', reason });
    }
    return {
      ...report,
      tier: this.tier,
      /* The module cannot know whether its instructions fuse: that is up to the JavaScript engine. */
      fma: report.fma && fused,
      isolated: isIsolated(),
      startup,
      downgrades: this.#downgrades,
      ...(this.options.measured && { measured: this.options.measured }),
    };
  }
}

/** Whether a start failed because of what its tier requires, so that a lesser tier may work. */
function mayFallBack(error: unknown, start: Start): boolean {
  const { options } = start;
  const own = options.tier ?? options.wasmModule ?? options.wasmBinary;
  const machine =
    start.workerFailed ||
    start.frozen ||
    (error instanceof PlxError && error.codeName === 'PLX_ERR_UNSUPPORTED') ||
    error instanceof RangeError ||
    error instanceof WebAssembly.CompileError ||
    error instanceof WebAssembly.LinkError;
  return own === undefined && machine;
}

const memory: Rule = (what, megabytes) => {
  if (checkWhole(what, megabytes, LEAST_MEMORY_MB) <= MOST_MEMORY_MB) return;
  refuse(`${what} is ${megabytes}: an engine has at most ${MOST_MEMORY_MB}`);
};

const compiled: Rule = (what, module: unknown) => {
  /* Not instanceof: a module of another realm is one too. */
  if (Object.prototype.toString.call(module) === '[object WebAssembly.Module]') return;
  refuse(`${what} must be a WebAssembly.Module, not ${kindOf(module)}`);
};

const LOAD = {
  threads: count,
  tier: anything,
  reproducible: flag,
  memoryMB: memory,
  wasmURL: anything,
  workerURL: anything,
  wasmBinary: anything,
  wasmModule: compiled,
  timeout: count,
  onProgress: callback,
  signal,
  debug: flag,
};

function checkLoad(options: LoadOptions): void {
  checkOptions('load', options, LOAD);
  const own = options.wasmBinary ?? options.wasmModule;
  if (options.wasmBinary && options.wasmModule) {
    refuse('load: both wasmBinary and wasmModule are given');
  }
  if (own && (options.tier ?? 'fastest') === 'fastest') {
    refuse('load: wasmBinary and wasmModule need the option tier, which says which build they are');
  }
}

async function firstChoice(host: Host, options: Chosen) {
  const reproducible = options.reproducible ?? false;
  if (!host.only) return chooseTier(options.tier, reproducible);
  const { tier, reason } = host.only;
  if (options.tier && options.tier !== tier) {
    throw new PlxError('PLX_ERR_UNSUPPORTED', `load: ${options.tier} cannot run: ${reason}`);
  }
  const { downgrades } = await chooseTier(tier, reproducible);
  return { tier, downgrades: [...downgrades, { wanted: 'simd-threads', got: tier, reason }] };
}

/** Returns the tier to try after a failed start, and the reason; null if there is none. */
function stepDown(failed: Start, error: unknown): (Downgrade & { got: Tier }) | null {
  const next = TIERS[TIERS.indexOf(failed.tier) + 1];
  if (!next || !mayFallBack(error, failed)) return null;
  const reason = `it did not start: ${(error as Error).message}`;
  return { wanted: failed.tier, got: next, reason };
}

/** Creates the function `load` of a host; it resolves to what make returns. */
export function makeLoad<P extends ClientParallax>(host: Host, make: Make<P>) {
  const open = async (options: Chosen, began: number, dropped: Downgrade[] = []): Promise<P> => {
    const { tier, downgrades } = await firstChoice(host, options);
    const before = [...dropped, ...downgrades];
    let frozen = 0;
    for (let start = new Start(host, make, options, began, tier, before); ; ) {
      try {
        return await start.run();
      } catch (error) {
        if (start.frozen && ++frozen < MOST_FROZEN) {
          start = start.again(start.tier);
          continue;
        }
        const downgrade = stepDown(start as Start, error);
        if (!downgrade) throw asPlxError(error, start.tier);
        start = start.again(downgrade.got, downgrade);
      }
    }
  };
  const load = async (given: LoadOptions): Promise<P> => {
    const began = performance.now();
    checkLoad(given);
    const { tier, ...others } = given;
    if (tier === 'fastest') {
      const { openFastest } = await import('./fastest.js');
      return openFastest(others, {
        refuse,
        choose: () => firstChoice(host, others),
        compile: (each) => compileTier(host, each, others),
        open: (own, dropped) => open({ ...others, ...own }, began, dropped),
      });
    }
    const options: Chosen = { ...others, ...(tier !== undefined && { tier }) };
    if (given.wasmBinary) options.wasmBinary = bytesOf('load: wasmBinary', given.wasmBinary);
    return open(options, began);
  };
  return (given: LoadOptions = {}): Promise<P> => marked('load', () => load(given));
}

function asPlxError(error: unknown, tier: Tier): unknown {
  if (error instanceof PlxError || !(error instanceof Error)) return error;
  const memory = error instanceof RangeError;
  const what = `load: the tier ${tier} did not start: ${error.message}`;
  return new PlxError(memory ? 'PLX_ERR_MEMORY' : 'PLX_ERR_UNSUPPORTED', what, { cause: error });
}
