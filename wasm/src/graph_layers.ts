/** The layers of a graph: their names, and which share their weights. */

import { PlxError } from './errors.js';
import type { Layer } from './generated/layer_types.js';
import { libraryName } from './graph_table.js';

export class LayerNames {
  /** Options of each layer, as text, by its name. */
  readonly #known = new Map<string, string>();

  get size(): number {
    return this.#known.size;
  }

  /** Returns the layer's name, which must be unique unless the layer shares weights. */
  nameOf(layer: Layer, share: boolean): string {
    const { name: given, ...rest } = layer;
    const described = JSON.stringify(Object.entries(rest).sort());
    let name = given;
    for (let i = 1; name === undefined; i++) {
      const free = `${libraryName(layer.kind)}_${i}`;
      if (!this.#known.has(free)) name = free;
    }
    const known = this.#known.get(name);
    if (share && known !== described) {
      const why =
        known === undefined ? 'there is no layer of that name' : 'that layer has other options';
      throw new PlxError('PLX_ERR_ARGUMENT', `layer: "${name}" cannot share weights: ${why}`);
    }
    if (!share && known !== undefined) {
      throw new PlxError(
        'PLX_ERR_ARGUMENT',
        `layer: "${name}" is already used: give this layer a name of its own, or share: true to ` +
          'apply the same weights again',
      );
    }
    this.#known.set(name, described);
    return name;
  }
}
