// The vendor of the processor, which ratios are given with: some libraries choose their kernels by it.
import { readFileSync } from 'node:fs';
import { cpus } from 'node:os';

/** As /proc/cpuinfo gives vendors: names on x86, numbers on ARM (Arm's list of implementers). */
const VENDORS = {
  AuthenticAMD: 'AMD',
  GenuineIntel: 'Intel',
  HygonGenuine: 'Hygon',
  '0x41': 'ARM',
  '0x46': 'Fujitsu',
  '0x48': 'HiSilicon',
  '0x4e': 'NVIDIA',
  '0x51': 'Qualcomm',
  '0x61': 'Apple',
  '0xc0': 'Ampere',
};

/** From the text of /proc/cpuinfo, or else from the processor's name. */
export function vendorOf(cpuinfo, model = '') {
  const [, id] = /^(?:vendor_id|CPU implementer)\s*:\s*(\S+)/m.exec(cpuinfo) ?? [];
  if (id) return VENDORS[id] ?? id;
  return /\b(AMD|Intel|Apple|ARM|Ampere)\b/.exec(model)?.[1] ?? 'unknown';
}

let known;

export function cpuVendor() {
  if (known) return known;
  let cpuinfo = '';
  try {
    cpuinfo = readFileSync('/proc/cpuinfo', 'utf8');
  } catch {
    // Other systems tell by the processor's name.
  }
  known = vendorOf(cpuinfo, cpus()[0]?.model);
  return known;
}
