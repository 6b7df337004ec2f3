/** Buttons that save a chart as a picture, a table or data. */
import { chartCsv, chartJson } from '../chart_files.js';
import type { ChartSpec } from '../chart_spec.js';
import { download, h } from '../dom.js';
import { sentence } from '../format.js';

/** What can be saved, by the ending of its file. */
export interface Savable {
  /** The name of the files, without an ending. */
  file: string;
  /** What they show. */
  title: string;
  png?: () => Promise<Blob>;
  csv?: () => string;
  json: () => string;
}

/** What a chart is saved as; a picture only if it is drawn. */
export const chartSavable = (spec: ChartSpec): Savable => ({
  file: spec.id,
  title: spec.title,
  ...(spec.kind === 'table'
    ? {}
    : { png: async () => (await import('../chart_png.js')).pngOf(spec) }),
  csv: () => chartCsv(spec),
  json: () => chartJson(spec),
});

const kinds = { png: 'image/png', csv: 'text/csv', json: 'application/json' } as const;
type Kind = keyof typeof kinds;

export interface SaveButtons {
  element: HTMLElement;
  /** Replaces what the buttons save. */
  offer(savable: Savable): void;
}

/** Creates the buttons, which save nothing yet. */
export function saveButtons(): SaveButtons {
  let offered: Savable | undefined;
  const failure = h('span', { class: 'hint bad', role: 'alert' });
  async function save(kind: Kind): Promise<void> {
    if (!offered) return;
    failure.textContent = '';
    try {
      const content = await offered[kind]?.();
      if (content !== undefined) download(`parallax-${offered.file}.${kind}`, kinds[kind], content);
    } catch (error) {
      failure.textContent = sentence(error);
    }
  }
  const buttons = (Object.keys(kinds) as Kind[]).map((kind) => {
    const button = h('button', { type: 'button', class: 'save' }, kind.toUpperCase());
    button.addEventListener('click', () => void save(kind));
    return { kind, button };
  });
  const element = h(
    'div',
    { class: 'saves' },
    h('span', { 'aria-hidden': 'true' }, 'Save:'),
    ...buttons.map(({ button }) => button),
    failure,
  );
  return {
    element,
    offer(savable) {
      offered = savable;
      for (const { kind, button } of buttons) {
        button.hidden = savable[kind] === undefined;
        button.setAttribute('aria-label', `${kind.toUpperCase()}: save “${savable.title}”`);
      }
    },
  };
}
