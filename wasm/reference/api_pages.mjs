/**
 * Writes the API reference as pages: node api_pages.mjs [--strict] FOLDER. It is made from the types in
 * ../dist, which are those that users get. With --strict, a warning (an export or a member without
 * documentation, a link that leads nowhere) is a failure, and so are the missing pages.
 */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const here = dirname(fileURLToPath(import.meta.url));
const file = (name) => join(here, name);

/** The files of types, and how an application imports what they describe. */
const ENTRIES = {
  index: 'parallax-nn',
  inference: 'parallax-nn/inference',
  bench: 'parallax-nn/bench',
};

const OPTIONS = {
  name: 'parallax-nn',
  entryPoints: Object.keys(ENTRIES).map((entry) => file(`../dist/${entry}.d.mts`)),
  tsconfig: file('tsconfig.json'),
  readme: file('../README.md'),
  projectDocuments: [file('../MIGRATING.md')],
  sort: ['source-order'],
  disableSources: true,
  githubPages: false,
  hideGenerator: true,
  excludePrivate: true,
  searchInComments: true,
  /* Its filters write styles into the page, which the policy forbids; nothing here is protected. */
  visibilityFilters: {},
  validation: { notExported: true, invalidLink: true, invalidPath: true, notDocumented: true },
  logLevel: 'Warn',
};

/** The policy of the page, for hosts that cannot send headers. */
function policy() {
  const headers = readFileSync(file('../../web/public/_headers'), 'utf8');
  const [, text] = /Content-Security-Policy: (.+)/.exec(headers) ?? [];
  if (!text) throw new Error('web/public/_headers has no Content-Security-Policy');
  /* `frame-ancestors` is not allowed in a policy inside a page. */
  return text.replace(/; frame-ancestors [^;]+/, '');
}

const filesIn = (folder, ending) =>
  readdirSync(folder, { recursive: true })
    .map(String)
    .filter((name) => name.endsWith(ending));

/** Where TypeDoc's script adds the style of its filters, though there are none. */
const FILTER_STYLE = 'document.head.appendChild(document.createElement("style"))';

/**
 * Makes the pages obey the policy, which forbids scripts and styles inside them: such scripts
 * become files, and attributes of style are left out.
 */
function obey(folder) {
  const meta = `<meta http-equiv="Content-Security-Policy" content="${policy()}"/>`;
  for (const name of filesIn(folder, '.html')) {
    const path = join(folder, name);
    const assets = relative(dirname(path), join(folder, 'assets')) || 'assets';
    const html = readFileSync(path, 'utf8')
      .replace(/<script>([\s\S]*?)<\/script>/g, (_, code) => {
        const hash = createHash('sha256').update(code).digest('hex').slice(0, 8);
        writeFileSync(join(folder, 'assets', `page-${hash}.js`), code);
        return `<script src="${assets}/page-${hash}.js"></script>`;
      })
      .replace(/(<[^>]*) style="[^"]*"/g, '$1')
      .replace('<head>', `<head>${meta}`);
    writeFileSync(path, html);
  }
  const script = join(folder, 'assets/main.js');
  const parts = readFileSync(script, 'utf8').split(FILTER_STYLE);
  if (parts.length !== 2) throw new Error(`main.js has ${parts.length - 1} of ${FILTER_STYLE}`);
  writeFileSync(script, parts.join('document.createElement("style")'));
}

/** Writes the licences of what TypeDoc puts into the pages: its own scripts and its search. */
function writeNotices(folder) {
  const texts = ['typedoc', 'lunr'].map((name) => {
    const root = file(`node_modules/${name}`);
    const { version, license } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
    const text = readdirSync(root).find((each) => /^licen[cs]e/i.test(each));
    if (!text) throw new Error(`${name} has no licence text`);
    return `${name} ${version} (${license})\n\n${readFileSync(join(root, text), 'utf8').trim()}\n`;
  });
  writeFileSync(join(folder, 'THIRD_PARTY_NOTICES.txt'), texts.join(`\n${'-'.repeat(80)}\n\n`));
}

/** Loads TypeDoc, which scripts/setup installs here. */
async function typedoc() {
  try {
    return await import('typedoc');
  } catch (error) {
    if (error.code !== 'ERR_MODULE_NOT_FOUND') throw error;
    throw new Error('TypeDoc is not installed: run scripts/setup', { cause: error });
  }
}

async function build(out, strict) {
  const { Application } = await typedoc();
  const app = await Application.bootstrap(OPTIONS);
  const project = await app.convert();
  if (!project) throw new Error('TypeDoc could not read the types: build the package first');
  for (const module of project.children ?? []) module.name = ENTRIES[module.name] ?? module.name;
  app.validate(project);
  if (strict && app.logger.hasWarnings()) throw new Error('the reference has warnings');
  await app.generateDocs(project, out);
  if (app.logger.hasErrors()) throw new Error('the reference could not be written');
  obey(out);
  writeNotices(out);
  console.log(`reference: ${filesIn(out, '.html').length} pages in ${out}`);
}

const { values, positionals } = parseArgs({
  options: { strict: { type: 'boolean', default: false } },
  allowPositionals: true,
});
if (positionals.length !== 1) {
  console.error('usage: node api_pages.mjs [--strict] FOLDER');
  process.exit(2);
}
try {
  await build(resolve(positionals[0]), values.strict);
} catch (error) {
  console.error(`reference: ${error.message}`);
  process.exit(1);
}
