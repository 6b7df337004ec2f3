import { readFileSync } from 'node:fs';
import Ajv2020 from 'ajv/dist/2020.js';
import standaloneCode from 'ajv/dist/standalone/index.js';
import addFormats from 'ajv-formats';
import type { Plugin } from 'vite';

const virtual = 'virtual:row-schema';

/**
 * Provides `virtual:row-schema`, the validator of one row of a result file, compiled from the schema
 * when the page is built: compiling in the browser would need eval, which the policy forbids.
 */
export function rowSchema(path: string): Plugin {
  return {
    name: 'row-schema',
    resolveId: (id) => (id === virtual ? `\0${virtual}` : undefined),
    load(id) {
      if (id !== `\0${virtual}`) return undefined;
      this.addWatchFile(path);
      const ajv = new Ajv2020({ code: { source: true, esm: true }, allErrors: false });
      addFormats(ajv);
      const code = standaloneCode(ajv, ajv.compile(JSON.parse(readFileSync(path, 'utf8'))));
      /* The code requires its helpers even as an ES module. Whether a bundler gives a CommonJS
       * module as the default export or its members as named ones depends on the importer. */
      const imports = code.replace(
        /const (\w+) = require\("([^"]+)"\)/g,
        (_, name: string, module: string) =>
          `import * as ${name}_ns from "${module}";const ${name} = commonJs(${name}_ns)`,
      );
      return `${imports}
function commonJs(ns) { return ns.default?.__esModule ? ns.default : ns; }
`;
    },
  };
}
