/** What the start of this page took, phase by phase. */
import { h } from '../dom.js';
import { type Phase, type Start, startChart } from '../start_up_chart.js';
import type { AppState, EngineState } from '../state.js';
import type { Store } from '../store.js';
import { createCard } from './chart_card.js';

type Ready = Extract<EngineState, { phase: 'ready' }>;

/** Milliseconds from the start of the navigation until the document was there. */
function documentEnd(): number {
  const [navigation] = performance.getEntriesByType('navigation') as PerformanceNavigationTiming[];
  return navigation?.responseEnd ?? 0;
}

/** The phases of an engine's start; those of the page come before its first. */
export function startOf({ info, began, first }: Ready, opened: number): Start {
  const { compiled, worker, ready, threads = ready } = info.startup;
  const both = Math.max(compiled, worker);
  const page: Phase[] = [
    { name: 'document', milliseconds: opened },
    { name: 'script of the page', milliseconds: began - opened },
  ];
  const engine: Phase[] = [
    { name: 'module and worker', milliseconds: both },
    { name: 'engine', milliseconds: ready - both },
    { name: 'threads, and costs measured', milliseconds: threads - ready },
  ];
  return first
    ? { name: 'this visit', phases: [...page, ...engine] }
    : { name: 'since the restart', phases: engine };
}

/** Fills the box, again with every engine. */
export function mountStartUp(root: HTMLElement, store: Store<AppState>): void {
  const card = createCard('start-up');
  const waiting = h('p', { class: 'hint' }, 'The engine has not started yet.');
  root.append(card.element, waiting);
  store.watch(['engine', 'theme'], ({ engine }) => {
    const ready = engine.phase === 'ready';
    card.element.hidden = !ready;
    waiting.hidden = ready;
    if (!ready) return;
    const { compiled, worker } = engine.info.startup;
    const spec = startChart([startOf(engine, documentEnd())], {
      id: 'start-up',
      title: 'How this page started',
      about:
        'From the address to the engine with all its threads. The module is fetched and compiled while the worker starts: their phase ends when both are ready. The engine is ready, and one thread can work, before the others have joined.',
    });
    const words = `Fetched and compiled after ${compiled.toFixed(0)} ms, the worker after ${worker.toFixed(0)} ms.`;
    card.show({ ...spec, notes: [words] });
  });
}
