/** Strict readers of the tables that C includes and of the functions that C defines. */

const withoutComments = (text) =>
  text.replace(/"(?:\\.|[^"\\])*"|\/\*[\s\S]*?\*\/|\/\/.*/g, (found) =>
    found.startsWith('"') ? found : ' ',
  );

/** Returns the index at which the parenthesis that opens at `at` closes. */
function closing(where, text, at) {
  let depth = 0;
  for (let i = at; i < text.length; i++) {
    if (text[i] === '"') {
      for (i++; text[i] !== '"'; i++) if (text[i] === '\\') i++;
    } else if ('({['.includes(text[i])) depth++;
    else if (')}]'.includes(text[i]) && --depth === 0) return i;
  }
  throw new Error(`${where}: a parenthesis is not closed: ${text.slice(at, at + 40)}`);
}

/** Splits text at the commas outside parentheses. */
function partsOf(where, text) {
  const parts = [''];
  for (let i = 0; i < text.length; i++) {
    let end = i;
    if (text[i] === '"') end = /^"(?:\\.|[^"\\])*"/.exec(text.slice(i))[0].length + i - 1;
    else if ('({['.includes(text[i])) end = closing(where, text, i);
    if (text[i] === ',') parts.push('');
    else parts[parts.length - 1] += text.slice(i, end + 1);
    i = end;
  }
  return parts.map((part) => part.trim());
}

/** Reads macro calls, and nothing else: their names and arguments. */
export function argumentsOf(where, text, macros) {
  const rows = [];
  let rest = text.trim();
  while (rest !== '') {
    const macro = /^[A-Z]\w*(?=\()/.exec(rest)?.[0];
    if (!macro || !macros.includes(macro)) {
      throw new Error(`${where}: expected ${macros.join(', ')}, found: ${rest.slice(0, 40)}`);
    }
    const end = closing(where, rest, macro.length);
    rows.push({ macro, parts: partsOf(where, rest.slice(macro.length + 1, end)) });
    rest = rest.slice(end + 1).trim();
  }
  return rows;
}

/** Reads the rows of a table; skips preprocessor lines, which are only for C. */
export const rowsOf = (where, text, macros) =>
  argumentsOf(where, withoutComments(text).replace(/^#.*$/gm, ''), macros);

/** Returns the text of adjacent string literals. */
export function textOf(literals) {
  if (!/^("(\\.|[^"\\])*"\s*)+$/.test(literals)) throw new Error(`no text: ${literals}`);
  return [...literals.matchAll(/"(?:\\.|[^"\\])*"/g)].map(([one]) => JSON.parse(one)).join('');
}

/** Returns `kvHeads` for `kv_heads`. */
export const camel = (name) => name.replace(/_(.)/g, (_, letter) => letter.toUpperCase());

/** Formats a documentation comment, wrapped. */
export function comment(text) {
  const words = text.split(/\s+/);
  const lines = [''];
  for (const word of words) {
    if (`${lines.at(-1)} ${word}`.length > 92) lines.push('');
    lines[lines.length - 1] += `${lines.at(-1) === '' ? '' : ' '}${word}`;
  }
  return lines.length === 1
    ? `/** ${lines[0]} */`
    : ['/**', ...lines.map((line) => ` * ${line}`), ' */'].join('\n');
}

/** The C types that cross the boundary as JavaScript numbers; 64-bit integers do not. */
const CROSSES = /^(?:const )*(?:int|bool|double|int32_t)$|\*/;

/** Reads the functions that a file marks with EXPORT. */
export function functionsOf(where, text) {
  return [...withoutComments(text).matchAll(/^EXPORT(?:_TRAINING)?\b([^{;]*)[{;]/gm)].map(
    ([, head]) => {
      const match = /^\s*(.*?)\s*\b(plx_js_\w+)\s*\(([\s\S]*)\)\s*$/.exec(head);
      if (!match) throw new Error(`${where}: cannot read EXPORT${head}`);
      const [, type, name, list] = match;
      if (type !== 'void' && !CROSSES.test(type))
        throw new Error(`${where}: ${name} gives ${type}`);
      const parameters = list.trim() === 'void' ? [] : partsOf(where, list.replace(/\s+/g, ' '));
      return {
        name,
        gives: type !== 'void',
        parameters: parameters.map((parameter) => {
          const [, of, called] = /^(.*?)(\w+)$/.exec(parameter);
          if (!CROSSES.test(of.trim())) throw new Error(`${where}: ${name} takes ${parameter}`);
          return called;
        }),
      };
    },
  );
}
