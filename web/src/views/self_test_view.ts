/** The self-test: how much to test, the findings, and the same as a text. */
import type { Actions } from '../actions.js';
import { h, setText } from '../dom.js';
import { findingsText, outcomeText, tiers } from '../self_test.js';
import type { SelfTestActions } from '../self_test_run.js';
import type { SelfTestState } from '../self_test_state.js';
import type { AppState } from '../state.js';
import type { Store } from '../store.js';
import { isTableActive } from '../table_state.js';
import { copier } from './copying.js';
import { explain } from './terms.js';
import { field, isActive, keepInAddress } from './training_controls.js';

const marks = { passed: '✓ passed', failed: '✗ FAILED', skipped: 'not here', told: 'told' };

/** A sentence for each phase; no number in it keeps changing. */
function statusText({ phase, findings }: SelfTestState): string {
  switch (phase) {
    case 'idle':
      return 'Not tested yet.';
    case 'running':
      return 'Testing…';
    case 'done':
      return outcomeText(findings);
    case 'cancelled':
      return 'Cancelled. What was found until then:';
    case 'failed':
      return 'The test could not go on.';
  }
}

/** The table of findings; rows are added as they are found. */
function findingsTable(store: Store<AppState>): HTMLElement {
  const body = h('tbody');
  const head = h(
    'tr',
    {},
    ...['Tier', 'Check', 'Verdict', 'Found'].map((title) =>
      h('th', { scope: 'col', class: 'text' }, title),
    ),
  );
  explain(head);
  const root = h(
    'div',
    { class: 'table-box tall', tabindex: 0, role: 'region', 'aria-label': 'Findings' },
    h(
      'table',
      { id: 'self-test-findings' },
      h('caption', {}, 'Findings'),
      h('thead', {}, head),
      body,
    ),
  );
  store.watch(['selfTest'], ({ selfTest: { findings } }) => {
    root.hidden = findings.length === 0;
    if (findings.length < body.rows.length) body.replaceChildren();
    for (const { tier, check, verdict, detail } of findings.slice(body.rows.length)) {
      body.append(
        h(
          'tr',
          {},
          h('th', { scope: 'row' }, tier),
          h('td', { class: 'text' }, check),
          h('td', { class: `text finding ${verdict}` }, marks[verdict]),
          h('td', { class: 'text detail' }, detail),
        ),
      );
    }
  });
  return root;
}

const sizePicker = () =>
  h(
    'select',
    { id: 'self-test-size' },
    h('option', { value: 'quick' }, 'Two trainings and every operation'),
    h('option', { value: 'full' }, 'The same, and a training of every model'),
  );

/** Fills the panel. */
export function mountSelfTest(
  root: HTMLElement,
  store: Store<AppState>,
  actions: Pick<Actions, 'setForm'>,
  test: SelfTestActions,
): void {
  const size = sizePicker();
  keepInAddress('test', size, store, actions);
  const start = h('button', { type: 'button', class: 'primary', id: 'self-test-start' }, 'Test');
  const cancel = h('button', { type: 'button', id: 'self-test-cancel' }, 'Cancel');
  const copyButton = h('button', { type: 'button', id: 'self-test-copy' }, 'Copy as text');
  const bar = h('progress', { max: 1, 'aria-label': 'Tested so far' });
  const doing = h('p', { class: 'hint', id: 'self-test-doing' });
  const status = h('p', { class: 'suite-line', role: 'status', id: 'self-test-status' });
  const failure = h('p', { class: 'hint bad wide', role: 'alert', id: 'self-test-failed' });
  const { note, text, copy } = copier('self-test');
  start.addEventListener('click', () => {
    void test.start(size.value === 'full' ? 'full' : 'quick');
  });
  cancel.addEventListener('click', () => test.cancel());
  copyButton.addEventListener('click', () => {
    const { findings } = store.get().selfTest;
    void copy(findingsText(findings, navigator.userAgent), 'the findings, one a line.');
  });
  root.append(
    h(
      'div',
      { class: 'stack' },
      h(
        'div',
        { class: 'row-between wrapping' },
        field('What to test', size),
        h('div', { class: 'train-buttons' }, start, cancel, copyButton),
      ),
      h('div', {}, bar, doing),
      status,
      failure,
      findingsTable(store),
      note,
      text,
    ),
  );
  store.watch(['selfTest', 'run', 'training', 'table', 'reference'], (state) => {
    const { selfTest, run, training, table, reference } = state;
    const running = selfTest.phase === 'running';
    const busy = run.phase === 'running' || isActive(training.phase) || isTableActive(table);
    start.disabled = running || busy || reference.phase === 'loading';
    start.title = busy ? 'The engine is busy with a run or with training.' : '';
    size.disabled = running;
    cancel.hidden = !running;
    copyButton.disabled = selfTest.findings.length === 0;
    bar.parentElement!.hidden = !running;
    bar.value = selfTest.fraction;
    setText(doing, `${selfTest.doing || tiers[0]}`);
    setText(status, statusText(selfTest));
    setText(failure, selfTest.message ?? '');
    failure.hidden = selfTest.message === undefined;
  });
}
