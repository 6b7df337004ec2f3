/** The rows of a file of reference results, each with all its fields. */
export function unpack(text: string): Record<string, unknown>[];
