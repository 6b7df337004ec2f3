/** Addresses of views. */
import { expect, test } from '@playwright/test';
import { partName, type Route, readRoute, routeLink, startRoute } from '../../../web/src/route.js';

test('every route survives its way through an address', () => {
  const routes: Route[] = [
    startRoute,
    { view: 'suite', suite: 'gemm' },
    { view: 'suite', suite: 'ops', part: 'medium-forward' },
    { view: 'train' },
    { view: 'table' },
    { view: 'twins' },
    { view: 'self-test' },
    { view: 'profile' },
    { view: 'peers' },
    { view: 'compare' },
    { view: 'files' },
    { view: 'method' },
    { view: 'glossary' },
    { view: 'glossary', part: 'ulp' },
  ];
  for (const route of routes) {
    const { search } = new URL(routeLink(route), 'http://localhost/');
    expect(readRoute(search)).toEqual(route);
  }
});

test('what names no view is the start', () => {
  for (const view of ['', 'x', 'suite', 'suite/', 'suite/a/b/c', 'suite/<b>', 'train/%00', '../x'])
    expect(readRoute(`?view=${view}`), view).toEqual(startRoute);
});

test('names of parts are plain letters', () => {
  expect(partName('Medium, forward')).toBe('medium-forward');
  expect(partName('(A) / B')).toBe('a-b');
});
