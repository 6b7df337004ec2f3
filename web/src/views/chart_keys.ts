/** Reading a chart with the keyboard: arrow keys lead from point to point. */
import { moved, type Place, wordsAt } from '../chart_places.js';
import { type ChartSpec, placed } from '../chart_spec.js';
import { h, setText } from '../dom.js';

export interface ChartKeys {
  /** Says where the reader is; for screen readers. */
  spoken: HTMLElement;
  /** Begins anew with this chart. */
  show(spec: ChartSpec): void;
}

const hint = 'Arrow keys lead from point to point. The table below has the same figures.';

/** Listens on the box; show is called with the place, and with undefined when the focus leaves. */
export function chartKeys(box: HTMLElement, showAt: (place: Place | undefined) => void): ChartKeys {
  const spoken = h('p', { class: 'sr', role: 'status' });
  let spec: ChartSpec | undefined;
  let at: Place | undefined;
  function go(place: Place | undefined): void {
    at = place;
    setText(spoken, spec && place ? wordsAt(spec, place) : '');
    showAt(place);
  }
  box.addEventListener('keydown', (event) => {
    const leave = event.key === 'Escape';
    const place = spec && !leave ? moved(spec, at, event.key) : undefined;
    if (leave ? !at : !place) return;
    event.preventDefault();
    go(place);
  });
  box.addEventListener('blur', () => {
    if (at) go(undefined);
  });
  return {
    spoken,
    show(next) {
      box.setAttribute('aria-label', `${next.title}. ${hint}`);
      /* A chart that is drawn again keeps the reader's place as long as it has one. */
      const series = at && next.series[at.series];
      if (spec?.id !== next.id || !at || !series || !placed(next, series)[at.index]) at = undefined;
      spec = next;
    },
  };
}
