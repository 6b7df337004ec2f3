// Groups of engines that are measured together, and what happens when one of them ends.
//
// A group is {engines, notes, renew, close}: engines has ours first; notes say what to know of them,
// such as which are missing, and why. After a case, renew() starts again what has ended meanwhile and resolves to sentences about
// that; engines is empty if the group cannot go on.
import { measureCase } from './measure.mjs';

const lastLine = (error) => error.message.trim().split('\n').at(-1);

/**
 * A group of engines that start and end independently. Slots are {what, start}; without the first,
 * ours, there is no group. The group's `missing` has those that did not start: {what, why}.
 */
export async function separateEngines(slots) {
  let running = [];
  const notes = [];
  const missing = [];
  for (const slot of slots) {
    try {
      const engine = await slot.start();
      running.push({ ...slot, engine });
      notes.push(...(engine.notes ?? []));
    } catch (error) {
      if (!running.length) throw error;
      const why = lastLine(error);
      missing.push({ what: slot.what, why });
      notes.push(`without ${slot.what}: ${why}`);
    }
  }

  async function renewed(slot) {
    const lost = slot.engine.lost();
    if (!lost) return { slot };
    try {
      return { slot: { ...slot, engine: await slot.start() }, note: `${lost}; it runs again` };
    } catch (error) {
      return { note: `from here on without ${slot.what}: ${lastLine(error)}` };
    }
  }

  return {
    get engines() {
      return running.map(({ engine }) => engine);
    },
    notes,
    missing,
    async renew() {
      const results = [];
      for (const slot of running) results.push(await renewed(slot));
      const goesOn = results[0]?.slot;
      if (!goesOn) for (const { slot } of results) slot?.engine.dispose();
      running = goesOn ? results.flatMap(({ slot }) => slot ?? []) : [];
      return results.flatMap(({ note }) => note ?? []);
    },
    async close() {
      for (const { engine } of running) engine.dispose();
    },
  };
}

/**
 * Measures the cases on a group; side says {where, threads}. out: begin(item, side) is called before a
 * case, add(item, side, entries) as soon as it is done, and note(sentence) when an engine has ended.
 */
export async function measureGroup(group, chosen, { out, side, method, makeData }) {
  try {
    for (const [i, item] of chosen.entries()) {
      out.begin(item, side);
      out.add(item, side, await measureCase(item, group.engines, makeData(item), method));
      for (const note of await group.renew()) out.note(note);
      const left = chosen.length - i - 1;
      if (group.engines.length || !left) continue;
      out.note(`${left} case${left > 1 ? 's are' : ' is'} left out`);
      break;
    }
  } finally {
    await group.close();
  }
}
