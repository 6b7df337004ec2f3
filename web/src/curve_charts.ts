/** Loss against steps, and against time, of the training runs among these cases. */
import { type ChartSpec, isWide, plainPoint, type Series } from './chart_spec.js';
import { type Case, caseKey } from './compare.js';
import { significant } from './format.js';
import { drawn, idOf, type Lane, lanesOf, looks, valid } from './lanes.js';

/** Another metric of the same case on one side. */
type Beside = (lane: Lane, metric: string) => number | undefined;

/** Seconds of a step: measured, or the whole run's divided among its steps. */
function secondsPerStep(each: Case, lane: Lane, beside: Beside): number | undefined {
  const step = beside(lane, 'step time');
  if (step !== undefined) return step / 1000;
  const run = beside(lane, 'training time');
  const steps = each.parameters.steps;
  return run !== undefined && typeof steps === 'number' ? run / steps : undefined;
}

/** The most points of a line that are marked. */
const mostDots = 40;

/** The curve of a side; its places multiplied by scale. */
function lineOf(each: Case, lane: Lane, scale: number | undefined): Series {
  const curve = valid(lane.of(each))?.curve;
  const points =
    curve && scale !== undefined
      ? curve.step.map((step, i) => plainPoint(step * scale, curve.loss[i] ?? Number.NaN))
      : [];
  /* The sides often agree: through the dashes the line below stays visible. */
  const dashed = lane.role === 'A' && each.C !== undefined;
  return {
    name: lane.name,
    ...looks(lane),
    ...(dashed ? { pattern: 'dashed' } : {}),
    /* Many points would hide their line. */
    ...(points.length > mostDots ? { only: 'line' } : {}),
    points,
  };
}

function curveChart(
  each: Case,
  lanes: readonly Lane[],
  by: { name: string; title: string; about: string; scale(lane: Lane): number | undefined },
): ChartSpec | undefined {
  const series = drawn(lanes.map((lane) => lineOf(each, lane, by.scale(lane))));
  const losses = series.flatMap(({ points }) => points.map(({ y }) => y));
  if (losses.length < 2) return undefined;
  const rows = series.flatMap(({ name, points }) =>
    points.map(({ x, y }) => ({ cells: [significant(x), name, significant(y)] })),
  );
  return {
    id: `${each.suite}-loss-${by.name}-${idOf(each.title)}`,
    title: `${each.title}: loss by ${by.name}`,
    about: by.about,
    kind: 'lines',
    categories: [],
    x: { title: by.title },
    y: { title: 'training loss', ...(isWide(losses) ? { log: true } : {}) },
    series,
    marks: [],
    notes: [],
    table: {
      caption: `Training loss of ${each.title} by ${by.name}.`,
      columns: [by.title, 'Engine', 'Loss'],
      rows,
    },
  };
}

/** Two charts for each training run. */
export function curveCharts(cases: readonly Case[]): (ChartSpec | undefined)[] {
  const lanes = lanesOf(cases);
  const named = new Map(cases.map((each) => [`${caseKey(each)}\u0002${each.metric}`, each]));
  const trained = cases.filter((each) => lanes.some(({ of }) => of(each)?.curve));
  return trained.flatMap((each) => {
    const beside: Beside = (lane, metric) => {
      const other = named.get(`${caseKey(each)}\u0002${metric}`);
      return other && valid(lane.of(other))?.value;
    };
    return [
      curveChart(each, lanes, {
        name: 'step',
        title: 'step',
        about:
          'The loss of every step that the row keeps. Equal seeds give equal data on all sides.',
        scale: () => 1,
      }),
      curveChart(each, lanes, {
        name: 'time',
        title: 'seconds',
        about: 'The same losses, each after as many median steps as it took.',
        scale: (lane) => secondsPerStep(each, lane, beside),
      }),
    ];
  });
}
