/** What a file of weights says of its model. */
import { kindOf } from './arrays.js';
import { PlxError } from './errors.js';
import type { Layer } from './generated/layer_types.js';
import { refuse } from './options.js';

/** A model as its caller described it, and the seed of its initial weights and dropout. */
export type ModelSource = ({ name: string } | { layers: readonly Layer[] }) & { seed: number };

/** The key of the metadata that holds a ModelSource as JSON. */
const KEY = 'parallax.model';
/** The key of a number that counts changes of what that JSON means. */
const FORMAT_KEY = 'parallax.format';
const FORMAT = '1';

/** The caller's metadata with the model's. */
export function metadataWith(source: string, own: Readonly<Record<string, string>> = {}) {
  for (const [key, value] of Object.entries(own)) {
    const what = `save: metadata: ${JSON.stringify(key)}`;
    if (typeof value !== 'string') refuse(`${what} is ${kindOf(value)}: it must be a string`);
    if (key.startsWith('parallax.'))
      refuse(`${what}: keys that start with "parallax." are the library's own`);
    if (`${key}${value}`.includes('\0')) refuse(`${what} has a NUL character`);
  }
  return Object.entries({ ...own, [FORMAT_KEY]: FORMAT, [KEY]: source });
}

/** The metadata of a file whose header can be read; the library checks the rest. */
function metadataOf(file: Uint8Array): Record<string, unknown> {
  try {
    const size = new DataView(file.buffer, file.byteOffset).getBigUint64(0, true);
    const text = new TextDecoder().decode(file.subarray(8, 8 + Number(size)));
    return Object(Object(JSON.parse(text)).__metadata__) as Record<string, unknown>;
  } catch (cause) {
    throw new PlxError('PLX_ERR_FORMAT', 'load: this is no safetensors file, or it is truncated', {
      cause,
    });
  }
}

/** The model of a file, as JSON and parsed; what it holds is not checked. */
export function sourceOf(file: Uint8Array): Record<string, unknown> {
  const { [KEY]: text, [FORMAT_KEY]: format } = metadataOf(file);
  if (typeof text !== 'string')
    throw new PlxError(
      'PLX_ERR_FORMAT',
      `load: the file does not say of which model its weights are (metadata "${KEY}"): create ` +
        'the model, and give it the file with model.loadWeights()',
    );
  if (format !== FORMAT)
    throw new PlxError(
      'PLX_ERR_UNSUPPORTED',
      `load: the file's format is ${JSON.stringify(format)}; this version reads "${FORMAT}"`,
    );
  try {
    return Object(JSON.parse(text)) as Record<string, unknown>;
  } catch (cause) {
    throw new PlxError('PLX_ERR_FORMAT', `load: metadata "${KEY}" is not JSON`, { cause });
  }
}
