/** Colours for numbers: dark to light for amounts, blue to orange for signed values. */

export type Rgb = readonly [number, number, number];

/** Viridis (Smith and van der Walt, 2015), of evenly growing lightness, at equal steps. */
const amounts: readonly Rgb[] = [
  [68, 1, 84],
  [71, 44, 122],
  [59, 81, 139],
  [44, 113, 142],
  [33, 144, 141],
  [39, 173, 129],
  [92, 200, 99],
  [170, 220, 50],
  [253, 231, 37],
];

/** Blue and orange, which every kind of colour vision tells apart, around white. */
const signs: readonly Rgb[] = [
  [5, 48, 97],
  [33, 102, 172],
  [67, 147, 195],
  [146, 197, 222],
  [247, 247, 247],
  [253, 184, 99],
  [224, 130, 20],
  [179, 88, 6],
  [127, 59, 8],
];

/** The range of a scale, and whether its values have both signs. */
export interface Scale {
  low: number;
  high: number;
  signed: boolean;
}

/** The scale of these values; centred on 0 if they lie on both sides of it. */
export function scaleOf(...arrays: readonly ArrayLike<number>[]): Scale {
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (const values of arrays) {
    for (let i = 0; i < values.length; i++) {
      const value = values[i]!;
      if (!Number.isFinite(value)) continue;
      low = Math.min(low, value);
      high = Math.max(high, value);
    }
  }
  if (low > high) return { low: 0, high: 0, signed: false };
  if (low >= 0 || high <= 0) return { low, high, signed: false };
  const most = Math.max(-low, high);
  return { low: -most, high: most, signed: true };
}

/** Position of a value on its scale, 0 to 1. */
export function shareOf(value: number, { low, high }: Scale): number {
  if (high <= low) return 0.5;
  return Math.min(1, Math.max(0, (value - low) / (high - low)));
}

/** The colour of a value; grey if it is not finite. */
export function colourOf(value: number, scale: Scale): Rgb {
  if (!Number.isFinite(value)) return [128, 128, 128];
  const stops = scale.signed ? signs : amounts;
  const at = shareOf(value, scale) * (stops.length - 1);
  const i = Math.min(stops.length - 2, Math.floor(at));
  const [a, b] = [stops[i]!, stops[i + 1]!];
  const mix = (channel: 0 | 1 | 2) => Math.round(a[channel] + (at - i) * (b[channel] - a[channel]));
  return [mix(0), mix(1), mix(2)];
}

/** Whether black is more readable on it than white, by the relative luminance of WCAG 2. */
export function isLight([red, green, blue]: Rgb): boolean {
  const linear = (value: number) => {
    const share = value / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  };
  const luminance = 0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue);
  return luminance > 0.179;
}
