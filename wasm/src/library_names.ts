/** What the library calls the methods of a graph and layers, and the other way round. */
import { builderOf, METHODS } from './graph_table.js';

/** `max_pool2d` for `maxPool2d`. */
export const libraryName = (name: string): string =>
  name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

/** The method that stands for a builder. */
const methodOf = (builder: string): string =>
  METHODS.find((method) => builderOf(method).builder === builder) ??
  builder.replace(/_(.)/g, (_, letter: string) => letter.toUpperCase());

/** Calls whose sentences begin with a name that the user gave, or that of a layer. */
const NAMED = ['input', 'parameter', 'layer', 'update'];

/**
 * A sentence of the library about a call, in the names of methods. adds: the call is one of a builder,
 * which may have called others.
 */
export function inMethods(message: string, method: string, adds: boolean): string {
  if (NAMED.includes(method)) return message;
  return (
    message
      /* One operation serves both; a run does not tell which call it was. */
      .replace(/^gather: (?=index )/, adds ? 'gather: ' : 'gather or embedding: ')
      .replace(/^(\w+): /, (_, name: string) => `${adds ? method : methodOf(name)}: `)
      .replace(
        /^(gradients: (?:the gradient of )?)(\w+)(?= has )/,
        (_, before: string, name: string) => before + methodOf(name),
      )
  );
}
