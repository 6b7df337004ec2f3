/** The text of `info`, for reports of bugs. */
import type { EngineInfo } from './api.js';

/** The globals by which a runtime names itself. */
interface Runtime {
  process?: { versions?: Record<string, string>; platform: string; arch: string };
  navigator?: { userAgent?: string };
}

/** Returns "node 24.1.0 on linux x64", or how a browser calls itself. */
function runtime(): string {
  const { process, navigator } = globalThis as Runtime;
  const versions = process?.versions;
  /* Runtimes that imitate Node list their own version besides Node's. */
  const name = ['bun', 'deno', 'node'].find((each) => versions?.[each]);
  if (process && versions && name)
    return `${name} ${versions[name]} on ${process.platform} ${process.arch}`;
  return navigator?.userAgent ?? 'unknown';
}

function startText(times: EngineInfo['startup']): string {
  const stages = Object.entries(times).map(([stage, ms]) => `${stage} ${ms.toFixed(0)}`);
  return `${stages.join(', ')} ms`;
}

/** Returns the lines of the text, each with its name. */
function linesOf(info: EngineInfo): [string, string][] {
  const speed = `${info.gflops.toFixed(1)} GFLOP/s, ${info.gbytes.toFixed(1)} GB/s on one thread`;
  const fused = info.fma ? 'fused' : 'not fused';
  return [
    ['tier', `${info.tier}, ${info.threads} of ${info.cpus} threads`],
    ['kernels', `${info.isa}, ${info.vectorBits} bits, multiply-add ${fused}`],
    ['exact', info.exact ? 'yes' : 'no'],
    ['products', info.gemm],
    ['speed', `${speed}, ${info.costsMeasured ? 'measured' : 'assumed'}`],
    ['memory', `${Math.round(info.memoryBytes / 2 ** 20)} MiB at the start`],
    ['isolated', info.isolated ? 'yes' : 'no'],
    ['started', startText(info.startup)],
    ...info.downgrades.map(({ wanted, got, reason }): [string, string] => [
      'downgrade',
      `${wanted} to ${got}: ${reason}`,
    ]),
    ...(info.measured ?? []).map(({ tier, gflops }): [string, string] => [
      'tried',
      `${tier}, ${gflops.toFixed(1)} GFLOP/s`,
    ]),
    ['runtime', runtime()],
  ];
}

/** Adds the method that makes the text; not enumerable, so that info prints and clones as data. */
export function withText(info: EngineInfo): EngineInfo {
  const value = () =>
    [`parallax-nn ${info.version}`]
      .concat(linesOf(info).map(([name, text]) => `${name.padEnd(10)}${text}`))
      .join('\n');
  return Object.defineProperty(info, 'toString', { value });
}
