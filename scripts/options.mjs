// Options of the scripts: --help, and one sentence for what is wrong.
import process from 'node:process';
import { parseArgs } from 'node:util';

/** A wrong argument, for which scripts exit with 2. */
export class Wrong extends Error {}

/** Parses options as parseArgs does; throws Wrong with one sentence. */
export function parseOptions(config) {
  try {
    return parseArgs(config);
  } catch (error) {
    throw new Wrong(`${error.message.split('.')[0]}; --help lists the options.`);
  }
}

/** Returns the whole number of an option, or throws Wrong. */
export function wholeNumber(name, text, least, most) {
  const number = Number(text);
  if (/^\d+$/.test(text) && number >= least && number <= most) return number;
  throw new Wrong(`--${name} must be a whole number from ${least} to ${most}, not "${text}".`);
}

/**
 * Returns what check makes of the values and positionals of the command line. After --help, and after
 * a wrong argument, the process ends.
 */
export function commandLine(script, usage, config, check = (given) => given) {
  const options = { ...config.options, help: { type: 'boolean', short: 'h' } };
  try {
    const given = parseOptions({ ...config, options });
    if (!given.values.help) return check(given);
    console.log(usage);
    process.exit(0);
  } catch (error) {
    if (!(error instanceof Wrong)) throw error;
    console.error(`${script}: ${error.message}`);
    process.exit(2);
  }
}
