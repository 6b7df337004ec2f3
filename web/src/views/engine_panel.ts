/** The engine of this page, why it is not a better one, and what to do about that. */
import type { EngineInfo } from 'parallax-nn/bench';
import type { Actions } from '../actions.js';
import { h } from '../dom.js';
import { list, significant } from '../format.js';
import { type Advice, adviceFor } from '../remedies.js';
import type { Isolation } from '../service_worker_client.js';
import type { AppState } from '../state.js';
import type { Store } from '../store.js';
import { explain, prose } from './terms.js';

function fact(name: string, value: string): HTMLElement {
  return h('div', {}, h('dt', {}, name), h('dd', {}, value));
}

function facts(info: EngineInfo): HTMLElement {
  const bits = `${info.vectorBits} bits${info.fma ? ', fused multiply-add' : ''}`;
  return h(
    'dl',
    { class: 'facts' },
    fact('Engine', info.tier),
    fact('Threads', `${info.threads} of ${info.cpus}`),
    fact('Vectors', bits),
    fact('Results', info.exact ? 'same bits as native' : 'fast, bits may differ'),
    info.threads > 1
      ? fact(
          'Time to start all threads',
          info.costsMeasured ? `${significant(info.forkJoinNs / 1000)} µs` : 'not measured',
        )
      : fact('Memory bandwidth', `${significant(info.gbytes)} GB/s`),
    fact('Ready after', `${significant(info.startup.ready)} ms`),
  );
}

/** The same while nothing is known, so that nothing moves when it is. */
function noFacts(): HTMLElement {
  const names = ['Engine', 'Threads', 'Vectors', 'Results', 'Time to start all threads'];
  return h(
    'dl',
    { class: 'facts' },
    ...names.map((name) => fact(name, '…')),
    fact('Ready after', '…'),
  );
}

/** What the measurement of tiers gave; undefined where there was none. */
export function measuredText({ tier, measured }: EngineInfo): string | undefined {
  if (!measured) return undefined;
  if (measured.length === 0)
    return `Nothing to compare: ${tier} is the only tier that may run here.`;
  const speeds = measured.map(({ tier: name, gflops }) => `${name} ${significant(gflops)} GFLOP/s`);
  return `Measured in this browser, matrix products on one thread: ${list(speeds)}; ${tier} is used.`;
}

/** What is done about a page without threads, or why nothing can be. */
function isolationView(isolation: Isolation, actions: Actions): HTMLElement | undefined {
  switch (isolation.phase) {
    case 'none':
      return undefined;
    case 'preparing':
      return h('p', { id: 'isolation' }, 'Preparing threads: a service worker adds the headers.');
    case 'impossible':
      return h('p', { id: 'isolation' }, isolation.why);
    case 'ready': {
      const button = h('button', { type: 'button', id: 'isolate' }, 'Reload with threads');
      button.addEventListener('click', () => actions.reloadSite());
      const why = ' A service worker now adds the two headers that the host does not send.';
      return h('p', { id: 'isolation' }, button, why);
    }
  }
}

function adviceItem({ problem, remedy }: Advice): HTMLElement {
  return h('div', {}, prose(problem), prose(`What to do: ${remedy}`, { class: 'remedy' }));
}

/** All downgrades, each with what to do about it; undefined if there are none. */
function downgrades(info: EngineInfo, isolation: HTMLElement | undefined): HTMLElement | undefined {
  const advice = adviceFor(info);
  if (advice.length === 0) return undefined;
  return h(
    'div',
    { class: 'notice warn', id: 'downgrades' },
    h('p', {}, h('b', {}, 'This is not the fastest that the engine can be:')),
    ...advice.map(adviceItem),
    isolation,
  );
}

function failure(title: string, message: string, actions: Actions): HTMLElement {
  const retry = h('button', { type: 'button', id: 'restart' }, 'Restart the engine');
  retry.addEventListener('click', () => void actions.restart());
  return h(
    'div',
    { class: 'notice bad', role: 'alert' },
    h('p', {}, h('b', {}, title), ' ', message),
    h('p', {}, retry),
  );
}

/** Fills the panel with the state of the engine. */
export function mountEngine(root: HTMLElement, store: Store<AppState>, actions: Actions): void {
  store.watch(['engine', 'site'], ({ engine, site }) => {
    root.setAttribute('aria-busy', String(engine.phase === 'starting'));
    switch (engine.phase) {
      case 'starting':
        root.replaceChildren(h('p', { class: 'sr' }, 'Starting the engine…'), noFacts());
        break;
      case 'failed':
        root.replaceChildren(failure('The engine did not start.', engine.message, actions));
        break;
      case 'lost':
        root.replaceChildren(failure('The engine stopped unexpectedly.', engine.message, actions));
        break;
      case 'ready': {
        const { info } = engine;
        const isolation = info.isolated ? undefined : isolationView(site.isolation, actions);
        const measured = measuredText(info);
        const found = facts(info);
        explain(found);
        root.replaceChildren(
          found,
          ...(measured ? [prose(measured, { class: 'hint wide', id: 'measured-tiers' })] : []),
          ...[downgrades(info, isolation)].filter((each) => each !== undefined),
        );
      }
    }
  });
}
