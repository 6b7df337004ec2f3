/** The engine of this page, and why it is not a better one. */
import type { Downgrade, EngineInfo } from 'parallax-nn/bench';
import type { Actions } from '../actions.js';
import { h } from '../dom.js';
import { list, significant } from '../format.js';
import type { AppState } from '../state.js';
import type { Store } from '../store.js';

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

const assumedCosts =
  'The threads started too late for their cost to be measured; it is assumed until a later plan measures it.';

/** What the measurement of tiers gave; undefined where there was none. */
export function measuredText({ tier, measured }: EngineInfo): string | undefined {
  if (!measured) return undefined;
  if (measured.length === 0)
    return `Nothing to compare: ${tier} is the only tier that may run here.`;
  const speeds = measured.map(({ tier: name, gflops }) => `${name} ${significant(gflops)} GFLOP/s`);
  return `Measured in this browser, matrix products on one thread: ${list(speeds)}; ${tier} is used.`;
}

/** Groups downgrades by reason, so that each reason is stated once. */
function reasons(downgrades: readonly Downgrade[]): { reason: string; text: string }[] {
  const byReason = new Map<string, Downgrade[]>();
  for (const each of downgrades) {
    byReason.set(each.reason, [...(byReason.get(each.reason) ?? []), each]);
  }
  return [...byReason].map(([reason, each]) => ({
    reason,
    text: `${each.map(({ wanted }) => wanted).join(' and ')} → ${each[0]?.got}: ${reason}.`,
  }));
}

/** Offers a service worker that isolates the page where its host cannot send the headers. */
function isolationOffer(info: EngineInfo, actions: Actions): HTMLElement | undefined {
  if (info.isolated || !('serviceWorker' in navigator) || !isSecureContext) return undefined;
  const button = h('button', { type: 'button', id: 'isolate' }, 'Enable threads and reload');
  button.addEventListener('click', () => void actions.isolate());
  return h(
    'p',
    { class: 'offer' },
    button,
    ' A service worker then adds the two headers that the host of this page does not send.',
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
  store.watch(['engine'], ({ engine }) => {
    root.setAttribute('aria-busy', String(engine.phase === 'starting'));
    switch (engine.phase) {
      case 'starting':
        root.replaceChildren(h('p', { class: 'outcome' }, 'Starting the engine…'));
        break;
      case 'failed':
        root.replaceChildren(failure('The engine did not start.', engine.message, actions));
        break;
      case 'lost':
        root.replaceChildren(failure('The engine stopped unexpectedly.', engine.message, actions));
        break;
      case 'ready': {
        const { info } = engine;
        const notes = reasons(info.downgrades).map(({ text }) => h('p', {}, text));
        if (info.threads > 1 && !info.costsMeasured) notes.push(h('p', {}, assumedCosts));
        if (info.isaNote) notes.push(h('p', {}, `${info.isa}: ${info.isaNote}.`));
        const offer = notes.length > 0 ? isolationOffer(info, actions) : undefined;
        const measured = measuredText(info);
        root.replaceChildren(
          facts(info),
          ...(measured ? [h('p', { class: 'hint wide', id: 'measured-tiers' }, measured)] : []),
          ...(notes.length > 0
            ? [h('div', { class: 'notice warn', id: 'downgrades' }, ...notes, offer)]
            : []),
        );
      }
    }
  });
}
