/** Converts names of graph methods and layers to those of the library, and back. */
import { builderOf, METHODS } from './graph_table.js';

/** Returns the method that calls a builder. */
const methodOf = (builder: string): string =>
  METHODS.find((method) => builderOf(method).builder === builder) ??
  builder.replace(/_(.)/g, (_, letter: string) => letter.toUpperCase());

/** Returns the name of an activation's parameter: "slope". */
function parameterOf(name: string): string {
  const method = METHODS.find((each) => each === name);
  return (method && builderOf(method).own[1]?.name) ?? 'parameter';
}

/** Calls whose messages begin with a name given by the user, or that of a layer. */
const NAMED = ['input', 'parameter', 'layer', 'update'];

/**
 * Translates a message of the library about a call to the names of methods. adds: whether the call
 * is that of a builder, which may have called others.
 */
export function inMethods(message: string, method: string, adds: boolean): string {
  if (NAMED.includes(method)) return message;
  return (
    message
      /* One operation implements both, and a run does not know which call added it. */
      .replace(/^gather: (?=index )/, adds ? 'gather: ' : 'gather or embedding: ')
      .replace(/^(\w+): /, (_, name: string) => `${adds ? method : methodOf(name)}: `)
      .replace(
        /^(\w+): parameter (?=\S+ must )/,
        (_, name: string) => `${name}: ${parameterOf(name)} `,
      )
      .replace(/^(conv2d\w*: )b (?=has )/, '$1bias ')
      .replace(/^(batchNorm: )running_(?=mean|variance)/, '$1')
      .replace(
        /^(gradients: (?:the gradient of )?)(\w+)(?= has )/,
        (_, before: string, name: string) => before + methodOf(name),
      )
  );
}
