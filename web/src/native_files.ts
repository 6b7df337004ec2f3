/** The native results that the page compares with, and descriptions of files that were added. */
import { type Foreign, isNativeSide } from './compare.js';
import { count } from './format.js';
import type { Measurement, ResultSet } from './rows.js';
import type { AppState } from './state.js';

/** Native rows of this machine: those served with the page, otherwise those of added files. */
export function nativeMeasurements({
  native,
  files,
}: Pick<AppState, 'native' | 'files'>): readonly Measurement[] {
  if (native.phase === 'ready') return native.set.measurements;
  return files.flatMap(({ measurements }) => measurements.filter(isNativeSide));
}

/** Rows of files that are on no side: other engines, other browsers, other machines. */
export function foreignMeasurements({
  native,
  files,
}: Pick<AppState, 'native' | 'files'>): Foreign[] {
  return files.flatMap(({ name, measurements }) =>
    measurements
      .filter((measurement) => native.phase === 'ready' || !isNativeSide(measurement))
      .map((measurement) => ({ file: name, measurement })),
  );
}

/** Rows of the earlier runs that were chosen to be compared with. */
export const comparedMeasurements = ({ compared }: Pick<AppState, 'compared'>): Foreign[] =>
  compared.flatMap(({ name, measurements }) =>
    measurements.map((measurement) => ({ file: name, measurement })),
  );

/** ", 24 of them void (its check failed)"; empty if none is void. */
function voidText(measurements: readonly Measurement[]): string {
  const reasons = measurements.flatMap(({ voided }) => voided ?? []);
  const [first] = reasons;
  if (first === undefined) return '';
  const some = reasons.length < measurements.length ? String(reasons.length) : 'all';
  const which = measurements.length === 1 ? 'void' : `${some} of them void`;
  return `, ${which} (${new Set(reasons).size > 1 ? 'the first: ' : ''}${first})`;
}

/** Describes what a file holds, and says if the headline ignores its native rows. */
export function fileText({ measurements }: ResultSet, served: boolean): string {
  const engines = [...new Set(measurements.map(({ engine }) => engine))].join(', ');
  const held = `${count(measurements.length, 'row')}${voidText(measurements)}: ${engines}`;
  return served && measurements.some(isNativeSide)
    ? `${held}. The headline uses the native results that were served with this page.`
    : held;
}
