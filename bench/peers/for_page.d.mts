/** Types of what the page uses of this folder. */
import type { BenchParallax } from 'parallax-nn/bench';

/** A product, a prediction, a training step or an operation, the same for every engine. */
export interface PeerCase {
  suite: string;
  name: string;
  kind: 'gemm' | 'predict' | 'train' | 'op';
}

export const cases: readonly PeerCase[];

/** The case's figure of speed. */
export interface Metric {
  metric: string;
  unit: string;
  better: 'lower' | 'higher';
  /** From nanoseconds per iteration. */
  of(ns: number): number;
}
export function metric(item: PeerCase): Metric;

/** Data of a case, and how it was made. */
export interface PeerData {
  recipe: object;
}
export function makeData(item: PeerCase, recipe: { seed: number }): PeerData;

/** The work of an engine, in the order in which it is called. */
export interface EngineWork {
  /** Resolves to the way that was chosen, if it has several. */
  open(item: PeerCase, data: PeerData): Promise<unknown>;
  results(): Promise<ArrayLike<number>>;
  /** Before each sample of a training case. */
  restart(): Promise<unknown>;
  /** Resolves to nanoseconds. */
  run(count: number): Promise<number>;
  close(): Promise<unknown>;
}

/** What its rows say about an engine. */
export interface EngineAbout {
  version: string;
  threads: number;
  tier?: string;
}

/** An engine that is measured. */
export interface PeerEngine extends EngineWork, EngineAbout {
  kind: 'wasm';
  name: string;
  /** How sentences call it. */
  label: string;
  runtime: string;
  compiler?: string;
  /** Why it does not run a case. */
  cannot?(item: PeerCase): string | false | undefined;
  /** Why it has ended; undefined as long as it has not. */
  lost(): string | undefined;
  dispose(): void;
}

/** sample: options of bench() for one sample. */
export function parallaxEngine(
  plx: BenchParallax,
  sample: { seconds: number; rounds: number },
): Promise<EngineWork & { about: EngineAbout }>;

export interface BrowserPeer {
  key: string;
  name: string;
  /** Whether it makes the scripts of its threads at run time, which a strict policy forbids. */
  makesScripts?: boolean;
  cannot?(item: PeerCase): string | false | undefined;
}
export const browserPeers: readonly BrowserPeer[];
/** By the peer's key and the package's name: the files that a page loads. */
export const browserPackages: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>>;

/** Where a page finds the files of a package, and its version. */
export interface PackagePlace {
  /** An address that ends with a slash. */
  at: string;
  version: string;
}

export interface PeerStart {
  packages: Readonly<Record<string, PackagePlace>>;
  threads: number;
}
type Maker = (options: PeerStart) => Promise<EngineWork & { about: EngineAbout }>;
export const peerMakers: Readonly<Record<string, Maker>>;

/** Calls an operation of the engine with this key, which lives elsewhere. */
export type CallEngine = (operation: string, key: string, ...rest: unknown[]) => Promise<unknown>;
export function hostEngines(
  makers: Readonly<Record<string, Maker>>,
): Readonly<Record<string, (...rest: unknown[]) => Promise<unknown>>>;
export function hostedEngine(key: string, call: CallEngine): EngineWork;

export interface MeasureProgress {
  /** From 1; 0 before the first. */
  round: number;
  /** Of the case, 0 to 1. */
  fraction: number;
}

export interface MeasureMethod {
  rounds: number;
  sampleNs: number;
  seed: number;
  signal?: AbortSignal;
  tell?(progress: MeasureProgress): void;
}
export const lengths: Readonly<Record<'quick' | 'full', { rounds: number; sampleNs: number }>>;

/** What was measured of one engine on one case. */
export interface MeasuredEntry {
  engine: PeerEngine;
  /** Nanoseconds per iteration, one for each round. */
  ns: readonly number[];
  failure?: string;
}

export interface EngineGroup {
  readonly engines: readonly PeerEngine[];
  notes: readonly string[];
  missing: readonly { what: string; why: string }[];
}
export function separateEngines(
  slots: readonly { what: string; start(): Promise<PeerEngine> }[],
): Promise<EngineGroup>;

export interface MeasureSide {
  where: string;
  threads: number;
}
export function measureGroup(
  group: EngineGroup,
  chosen: readonly PeerCase[],
  options: {
    out: {
      begin(item: PeerCase): void;
      add(item: PeerCase, side: MeasureSide, entries: readonly MeasuredEntry[]): void;
      note(sentence: string): void;
    };
    side: MeasureSide;
    method: MeasureMethod;
    makeData(item: PeerCase): PeerData;
  },
): Promise<void>;

/** The median and its 95% interval. */
export interface Summary {
  count: number;
  median: number;
  low: number;
  high: number;
}
export function summarise(values: readonly number[]): Summary;
/** A peer's time as a multiple of ours, round by round. */
export function speed(peer: MeasuredEntry, ours: MeasuredEntry): Summary;
/** Rows of bench/results.schema.json. */
export function toRows(
  item: PeerCase,
  entries: readonly MeasuredEntry[],
  about: { threads: number; seed: number; machine: object; commit: string; date: string },
): Readonly<Record<string, unknown>>[];
