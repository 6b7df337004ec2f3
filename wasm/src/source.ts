/** Gets the compiled module of a tier, or reports what was received instead. */
import { PlxError } from './errors.js';

const ADVICE =
  'serve the .wasm files of parallax-nn/dist at that address, or give load() the right wasmURL';

/** The first bytes of every module. */
const MAGIC = [0x00, 0x61, 0x73, 0x6d];

function describe(bytes: Uint8Array): string {
  const text = new TextDecoder().decode(bytes.subarray(0, 64)).trimStart().toLowerCase();
  if (text.startsWith('<!doctype') || text.startsWith('<html')) return 'an HTML page';
  if (text.startsWith('version https://git-lfs')) return 'a Git LFS pointer';
  if (bytes.length === 0) return 'an empty file';
  const head = [...bytes.subarray(0, 4)].map((byte) => byte.toString(16).padStart(2, '0'));
  return `something else (it begins with ${head.join(' ')})`;
}

/** Compiles bytes that came from url, or from an option with advice of its own. */
export async function compileBytes(
  bytes: Uint8Array<ArrayBuffer>,
  from: string,
  advice = ADVICE,
): Promise<WebAssembly.Module> {
  if (!MAGIC.every((byte, i) => bytes[i] === byte)) {
    throw new PlxError(
      'PLX_ERR_FORMAT',
      `load: ${from} holds ${describe(bytes)} instead of WebAssembly: ${advice}`,
    );
  }
  return await WebAssembly.compile(bytes);
}

/** Told of bytes that have arrived, and of how many there are if that is known. */
export type Arrival = (loaded: number, total?: number) => void;

/** Returns the same response, whose bytes are counted as they are read. */
function counted(response: Response, told: Arrival): Response {
  const { headers, body } = response;
  if (!body) return response;
  /* The length is that of the compressed bytes. */
  const length = headers.has('content-encoding') ? null : headers.get('content-length');
  const total = length === null ? undefined : Number(length);
  let loaded = 0;
  const counter = new TransformStream<Uint8Array, Uint8Array>({
    transform(chunk, controller) {
      loaded += chunk.byteLength;
      told(loaded, total);
      controller.enqueue(chunk);
    },
  });
  return new Response(body.pipeThrough(counter), response);
}

async function compileResponse(response: Response, url: string): Promise<WebAssembly.Module> {
  if (!response.ok) {
    throw new PlxError(
      'PLX_ERR_IO',
      `load: ${url} answered with status ${response.status}: ${ADVICE}`,
    );
  }
  const type = response.headers.get('content-type') ?? '';
  if (type.startsWith('application/wasm')) return await WebAssembly.compileStreaming(response);
  /* A wrong content type is as common a mistake as a wrong file: let the bytes decide. */
  const bytes = new Uint8Array(await response.arrayBuffer());
  return await compileBytes(bytes, `${url} (${type || 'no content type'})`);
}

/** Fetches and compiles the module at url. */
export async function compileURL(url: URL, told?: Arrival): Promise<WebAssembly.Module> {
  let response: Response;
  try {
    response = await fetch(url, { credentials: 'same-origin' });
  } catch (cause) {
    throw new PlxError('PLX_ERR_IO', `load: ${url.href} could not be fetched: ${ADVICE}`, {
      cause,
    });
  }
  const { href } = url;
  return await compileResponse(told && response.ok ? counted(response, told) : response, href);
}
