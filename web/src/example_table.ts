/** A table to try, made from a seed: flats with a rent that follows from the other columns and noise. */
import { seededOrder } from './table_data.js';

const districts = { harbour: 3.2, centre: 4.1, hills: 2.4, station: 1.6 } as const;
const rows = 600;

/** A share from 0 to 1 for each row, different for each column. */
function shares(column: number, seed: number): number[] {
  const places = seededOrder(
    Array.from({ length: rows }, (_, row) => row),
    100 * seed + column,
  );
  const found: number[] = [];
  for (const [place, row] of places.entries()) found[row] = (place + 0.5) / rows;
  return found;
}

/** CSV with a line of names; one line in a hundred lacks its area. */
export function exampleTable(seed: number): string {
  const [a, b, c, d, e] = [1, 2, 3, 4, 5].map((column) => shares(column, seed)) as [
    number[],
    number[],
    number[],
    number[],
    number[],
  ];
  const names = Object.keys(districts) as (keyof typeof districts)[];
  const lines = Array.from({ length: rows }, (_, i) => {
    const district = names[Math.floor(names.length * a[i]!)]!;
    const area = 20 + 100 * b[i]!;
    const floor = Math.floor(6 * c[i]!);
    const balcony = d[i]! < 0.4 ? 'yes' : 'no';
    const noise = 60 * (e[i]! - 0.5);
    const rent =
      150 + area * (4 + districts[district]) + 12 * floor + (balcony === 'yes' ? 45 : 0) + noise;
    const shown = i % 100 === 57 ? '' : area.toFixed(0);
    return [district, shown, floor, balcony, rent.toFixed(0)].join(',');
  });
  return `district,area,floor,balcony,rent\n${lines.join('\n')}\n`;
}
