/** Writes layers in the form that the library reads: numbers for their fields, and names. */
import type { Layer } from './api_layers.js';
import { indexOf, names } from './engine_plan.js';
import { PlxError } from './errors.js';
import type { Heap } from './heap.js';
import { libraryName } from './library_names.js';

const encoder = new TextEncoder();

/** Base of the wavelengths of rotary positions (Su et al., 2021). */
const ROPE_BASE = 10_000;

type Options = Readonly<Record<string, unknown>>;
type Fields = Readonly<Record<string, number | readonly number[]>>;

const numberOf = (value: unknown): number => (typeof value === 'number' ? value : 0);

const both = (value: unknown): readonly number[] =>
  typeof value === 'number' ? [value, value] : ((value as number[]) ?? [0, 0]);

/** Returns the fields under the library's names; 0 stands for options left out. */
function fieldsOf(o: Options, activations: string[]): Fields {
  const shape = (o.shape as number[] | undefined) ?? [];
  return {
    units: numberOf(o.units ?? o.filters ?? o.hidden),
    activation: o.activation ? indexOf(activations, String(o.activation), 'activation') : 0,
    p: numberOf(o.parameter),
    no_bias: Number(o.useBias === false),
    size: both(o.kernelSize ?? o.poolSize ?? o.size),
    stride: both(o.strides),
    same: Number(o.padding === 'same'),
    bilinear: Number(o.method === 'bilinear'),
    dilation: both(o.dilation),
    groups: numberOf(o.groups),
    vocabulary: numberOf(o.vocabulary),
    heads: numberOf(o.heads),
    kv_heads: numberOf(o.kvHeads),
    causal: Number(o.causal === true),
    post_norm: Number(o.postNorm === true),
    rms_norm: Number(o.rmsNorm === true),
    gated: Number(o.gated === true),
    rope_base: o.rope === true ? ROPE_BASE : numberOf(o.rope),
    rate: numberOf(o.rate ?? o.dropout),
    epsilon: numberOf(o.epsilon),
    momentum: numberOf(o.momentum),
    project: Number(o.project === true),
    rank: shape.length,
    dims: shape,
  };
}

export class LayerWriter {
  readonly #heap: Heap;
  readonly #kinds: string[];
  readonly #activations: string[];
  /** Offset of each field among the numbers of a layer. */
  readonly #places = new Map<string, number>();
  readonly #size: number;

  constructor(heap: Heap) {
    const { c } = heap;
    this.#heap = heap;
    this.#kinds = names(heap, (i) => c._plx_js_layer_name(i));
    this.#activations = names(heap, (i) => c._plx_js_activation_name(i));
    const fields = names(heap, (i) => c._plx_js_layer_field(i));
    this.#size = fields.length;
    for (const [place, field] of fields.entries()) if (field) this.#places.set(field, place);
  }

  /** Appends a layer, then those inside it, and their names in the same order. */
  #write(layer: Layer, numbers: number[], texts: string[]): void {
    const first = numbers.length;
    numbers.push(...new Array<number>(this.#size).fill(0));
    texts.push(layer.name ?? '');
    const inner = layer.kind === 'residual' ? layer.layers : [];
    const fields: Fields = {
      ...fieldsOf(layer as unknown as Options, this.#activations),
      kind: indexOf(this.#kinds, libraryName(layer.kind), 'layer'),
      inner: inner.length,
    };
    for (const [field, value] of Object.entries(fields)) {
      const place = this.#places.get(field);
      if (place === undefined)
        throw new PlxError('PLX_ERR_UNSUPPORTED', `layers: no field ${field}`);
      for (const [i, number] of [value].flat().entries()) numbers[first + place + i] = number;
    }
    for (const one of inner) this.#write(one, numbers, texts);
  }

  /**
   * Runs body with the count and the address of a layer's numbers, and the address of its names.
   */
  with<T>(layer: Layer, body: (count: number, numbers: number, names: number) => T): T {
    const numbers: number[] = [];
    const texts: string[] = [];
    this.#write(layer, numbers, texts);
    const list = encoder.encode(texts.map((text) => `${text}\0`).join(''));
    return this.#heap.with([Float64Array.from(numbers), list], (from, text) =>
      body(numbers.length, from as number, text as number),
    );
  }
}
