/**
 * The page stays smooth while it trains and measures. On a machine with other work, frames are late
 * whatever the page does. So what is held to a bound is the time of the processor that each task of the
 * main thread takes; and where the machine is quiet, also the gaps between frames, in turns with those
 * of the page at rest beside a worker that is as busy as the engine.
 */
import { cpus, loadavg } from 'node:os';
import { type Browser, expect, type Page, test } from '@playwright/test';
import { serveNative } from './support.js';

/** Milliseconds of 60 frames a second. */
const frame = 1000 / 60;
/** Milliseconds of one turn, and turns of each kind. */
const turnMs = 1_200;
const turns = 3;
/** Share of the frames that a task of more than a frame may make late. */
const lateShare = 0.05;

/** Gaps between frames during one turn. */
const gaps = (page: Page): Promise<number[]> =>
  page.evaluate(
    (time) =>
      new Promise<number[]>((resolve) => {
        const found: number[] = [];
        let last: number | undefined;
        const began = performance.now();
        const next = (now: number) => {
          if (last !== undefined) found.push(now - last);
          last = now;
          if (performance.now() - began < time) requestAnimationFrame(next);
          else resolve(found);
        };
        requestAnimationFrame(next);
      }),
    turnMs,
  );

/** Gaps while a worker computes without pause, and nothing else happens. */
async function restingGaps(page: Page): Promise<number[]> {
  await page.evaluate(() => {
    const code = 'for (let x = 1; ; ) x = Math.sin(x) + 1;';
    const address = URL.createObjectURL(new Blob([code], { type: 'text/javascript' }));
    Object.assign(window, { burner: new Worker(address) });
  });
  const found = await gaps(page);
  await page.evaluate(() => (window as unknown as { burner: Worker }).burner.terminate());
  return found;
}

const at = (all: readonly number[], share: number) => {
  const sorted = all.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;
};

interface TraceEvent {
  name: string;
  ph: string;
  pid: number;
  tid: number;
  /** Microseconds of the processor. */
  tdur?: number;
  args: { name?: string };
}

/** Milliseconds of the processor that each task of the page's main thread takes while body runs. */
async function tasksDuring(browser: Browser, page: Page, body: () => Promise<void>) {
  const categories = ['disabled-by-default-devtools.timeline', '__metadata'];
  await browser.startTracing(page, { categories });
  await body();
  const { traceEvents } = JSON.parse((await browser.stopTracing()).toString());
  const events: TraceEvent[] = traceEvents;
  const main = events.find(
    ({ name, args }) => name === 'thread_name' && args.name === 'CrRendererMain',
  );
  return events
    .filter(({ name, ph, pid, tid }) => {
      const isTask = name === 'RunTask' && ph === 'X';
      return isTask && pid === main?.pid && tid === main.tid;
    })
    .flatMap(({ tdur }) => (tdur === undefined ? [] : [tdur / 1000]));
}

interface Busy {
  what: string;
  /** Makes the engine rest, and work again. */
  rest(): Promise<void>;
  work(): Promise<void>;
  /** What the user does meanwhile. */
  use?(): Promise<void>;
}

const tell = (all: readonly number[]) =>
  `median ${at(all, 0.5).toFixed(1)} ms, nine in ten up to ${at(all, 0.9).toFixed(1)} ms, longest ${at(all, 1).toFixed(1)} ms`;

/** Takes turns, and compares. */
async function expectSmooth(browser: Browser, page: Page, busy: Busy): Promise<void> {
  const [resting, working, tasks]: [number[], number[], number[]] = [[], [], []];
  const quiet = () => loadavg()[0]! < cpus().length;
  const quietBefore = quiet();
  for (let turn = 0; turn < turns; turn++) {
    await busy.rest();
    resting.push(...(await restingGaps(page)));
    await busy.work();
    tasks.push(
      ...(await tasksDuring(browser, page, async () => {
        const [found] = await Promise.all([gaps(page), busy.use?.()]);
        working.push(...found);
      })),
    );
  }
  const isQuiet = quietBefore && quiet();
  /* Beside other work, a core that shares its caches takes up to twice the time for the same task. */
  const most = isQuiet ? frame : 2 * frame;
  const late = tasks.filter((each) => each > most).length;
  const frames = (turns * turnMs) / frame;
  const told = `${busy.what}: frames: ${tell(working)}; at rest: ${tell(resting)}; tasks: longest ${at(tasks, 1).toFixed(1)} ms, ${late} over ${most.toFixed(1)} ms`;
  console.log(told);
  expect(tasks.length, told).toBeGreaterThan(frames / 10);
  expect(late, told).toBeLessThanOrEqual(lateShare * frames);
  if (!isQuiet) return;
  expect(at(working, 0.5), told).toBeLessThanOrEqual(Math.max(frame, at(resting, 0.5)) + 1);
  const longest = Math.max(frame, at(resting, 0.9)) + 2 * frame;
  expect(at(working, 0.9), told).toBeLessThanOrEqual(longest);
}

/** The busy half of views that can be paused. */
const pausing = (page: Page, view: string, what: string): Busy => ({
  what,
  async rest() {
    await page.locator(`#${view}-pause`).click();
    await expect(page.locator(`#${view}-status`)).toContainText('Paused');
    if (view === 'train') await expect(page.locator('#train-looking')).toBeEmpty();
  },
  async work() {
    await page.locator(`#${view}-pause`).click();
    await expect(page.locator(`#${view}-status`)).toContainText('Training');
  },
});

async function open(page: Page, address: string): Promise<void> {
  page.on('dialog', (dialog) => void dialog.accept());
  await serveNative(page);
  await page.goto(address);
}

/** The worker of the resting turns has an address that the page's policy does not allow. */
test.use({ bypassCSP: true });

test('frames come on time during training, and while a digit is drawn', async ({
  browser,
  page,
}) => {
  test.setTimeout(180_000);
  await open(page, '?view=train&length=full&threads=1');
  await page.locator('#train-start').click();
  await expect(page.locator('#digit-pad')).toBeVisible({ timeout: 60_000 });
  const training = pausing(page, 'train', 'training');
  await expectSmooth(browser, page, training);
  await expect(page.locator('#view-train .frames')).toContainText(/drawn \d+ times a second/);
  await page.locator('#digit-sample').click();
  await page.locator('#digit-pad').scrollIntoViewIfNeeded();
  const box = await page.locator('#digit-pad').boundingBox();
  if (!box) throw new Error('The pad is not visible.');
  await expectSmooth(browser, page, {
    ...training,
    what: 'training and drawing',
    async use() {
      await page.mouse.move(box.x + 20, box.y + 20);
      await page.mouse.down();
      for (let i = 0; i < 40; i++) {
        await page.mouse.move(box.x + 20 + ((7 * i) % 90) * (box.width / 110), box.y + 20 + 4 * i);
      }
      await page.mouse.up();
    },
  });
});

for (const [view, address, start] of [
  ['table', '?view=table&epochs=9000&threads=1', '#table-example'],
  ['twins', '?view=twins&task=interp5d&turns=9000&first=simd&second=simd', undefined],
] as const) {
  test(`frames come on time in the view ${view}`, async ({ browser, page }) => {
    test.setTimeout(180_000);
    await open(page, address);
    if (start) await page.locator(start).click();
    await page.locator(`#${view}-start`).click();
    await expect(page.locator(`#${view}-status`)).toContainText('Training', { timeout: 60_000 });
    await expectSmooth(browser, page, pausing(page, view, view));
  });
}

test('frames come on time during a run', async ({ browser, page }) => {
  test.setTimeout(180_000);
  await open(page, '?size=quick&suites=gemm,mlp&threads=1');
  await expectSmooth(browser, page, {
    what: 'a run',
    async rest() {
      const cancel = page.locator('#cancel');
      if (await cancel.isVisible()) await cancel.click();
      await expect(page.locator('#run')).toBeEnabled();
    },
    async work() {
      await page.locator('#run').click();
      await expect(page.getByRole('progressbar', { name: 'Progress of the run' })).toBeVisible();
    },
  });
});
