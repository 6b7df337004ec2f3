/** Which view the address names: one parameter of its query, such as `view=suite/gemm`. */

export const viewNames = [
  'start',
  'suite',
  'train',
  'table',
  'twins',
  'self-test',
  'profile',
  'peers',
  'compare',
  'files',
  'method',
  'glossary',
] as const;
export type ViewName = (typeof viewNames)[number];

export interface Route {
  view: ViewName;
  /** Only for the view `suite`. */
  suite?: string;
  /** A part of a suite's charts, or an entry of the glossary. */
  part?: string;
}

export const startRoute: Route = { view: 'start' };

const isName = (text: string | undefined): text is string => /^[\w-]+$/.test(text ?? '');

/** Reads the route; what names no view is the start. */
export function readRoute(search: string): Route {
  const text = new URLSearchParams(search).get('view') ?? '';
  const [name, ...rest] = text.split('/');
  const view = viewNames.find((each) => each === name);
  if (!view || !rest.every(isName)) return startRoute;
  if (view === 'suite') {
    const [suite, part] = rest;
    if (suite === undefined || rest.length > 2) return startRoute;
    return { view, suite, ...(part === undefined ? {} : { part }) };
  }
  const [part] = rest;
  return view === 'glossary' && part !== undefined ? { view, part } : { view };
}

/** The value of the parameter `view`: "suite/gemm"; empty for the start. */
export function routeText({ view, suite, part }: Route): string {
  return view === 'start' ? '' : [view, suite, part].filter(Boolean).join('/');
}

/** The address of a view, for links; the router adds what else the address holds. */
export function routeLink(route: Route): string {
  const text = routeText(route);
  return text ? `?view=${text}` : './';
}

/** A text as the part of a route: "medium, forward" becomes "medium-forward". */
export const partName = (text: string): string =>
  text
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^-|-$/g, '');
