/** Describes the machine for rows, as far as a browser reveals it. */

export interface Machine {
  /** "Chromium 156" */
  runtime: string;
  machine: { name: string; cpus: number; system: string; memoryBytes?: number };
}

interface UserAgentData {
  brands?: { brand: string; version: string }[];
  platform?: string;
  getHighEntropyValues?(hints: string[]): Promise<{ architecture?: string; bitness?: string }>;
}

/** Chromium browsers list their brands; others are recognised by their user agent string. */
function runtimeOf(agent: string, data: UserAgentData | undefined): string {
  const brands = data?.brands?.filter(({ brand }) => !/not.?a.?brand/i.test(brand)) ?? [];
  const brand = brands.find((each) => each.brand !== 'Chromium') ?? brands[0];
  if (brand) return `${brand.brand} ${brand.version}`;
  const known = [
    ['Firefox', /Firefox\/(\d+)/],
    ['Chromium', /(?:Chrome|Chromium)\/(\d+)/],
    ['Safari', /Version\/(\d+).*Safari/],
  ] as const;
  for (const [name, pattern] of known) {
    const version = pattern.exec(agent)?.[1];
    if (version) return `${name} ${version}`;
  }
  return 'unknown runtime';
}

/** Returns "Linux x86_64" for "Mozilla/5.0 (X11; Linux x86_64; rv:153.0) ...". */
function systemOf(agent: string, data: UserAgentData | undefined): string {
  const inside = /\(([^)]*)\)/.exec(agent)?.[1]?.split(';') ?? [];
  const named = inside.find((part) => /linux|windows|mac os|android|cros/i.test(part));
  return named?.trim() || data?.platform || 'unknown system';
}

/**
 * Describes the machine. Browsers hide the name of the processor, and the row says so rather than
 * guess. They report memory only rounded and capped (navigator.deviceMemory), so rows, which use
 * exact bytes, leave it out.
 */
export async function browserMachine(): Promise<Machine> {
  const browser = (globalThis as { navigator?: Navigator }).navigator;
  const agent = browser?.userAgent ?? '';
  const { userAgentData: data } = (browser ?? {}) as { userAgentData?: UserAgentData };
  const told = await data?.getHighEntropyValues?.(['architecture', 'bitness']).catch(() => ({}));
  const { architecture, bitness } = (told ?? {}) as { architecture?: string; bitness?: string };
  const kind = architecture ? `${architecture}${bitness ? `, ${bitness} bits` : ''}` : '';
  return {
    runtime: runtimeOf(agent, data),
    machine: {
      name: `not told by the browser${kind ? ` (${kind})` : ''}`,
      cpus: browser?.hardwareConcurrency || 1,
      system: systemOf(agent, data),
    },
  };
}
