/** The characters of a text, which the tasks of language models number in order of their code points. */

/** Bytes between two pauses: a few milliseconds, so that no frame is late. */
const chunk = 1 << 17;

/** The code points that occur in a UTF-8 text, in increasing order: that of id i at i. */
export async function alphabetOf(bytes: Uint8Array): Promise<number[]> {
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
  const seen = new Set<number>();
  for (let from = 0; from < bytes.length; from += chunk) {
    const part = decoder.decode(bytes.subarray(from, from + chunk), { stream: true });
    for (const character of part) seen.add(character.codePointAt(0)!);
    await new Promise((resolve) => setTimeout(resolve));
  }
  return [...seen].sort((a, b) => a - b);
}

/** The ids of a text. Throws a sentence that names a character which has none. */
export function idsOf(text: string, characters: readonly number[]): number[] {
  const ids = new Map(characters.map((code, id) => [code, id]));
  return [...text].map((character, i) => {
    const id = ids.get(character.codePointAt(0)!);
    if (id !== undefined) return id;
    throw new Error(
      `Character ${i + 1} of the beginning, “${character}”, does not occur in the text that was trained on: only its ${characters.length} characters can be used.`,
    );
  });
}

/** The text of these ids. */
export const textOf = (ids: readonly number[], characters: readonly number[]): string =>
  String.fromCodePoint(...ids.map((id) => characters[id] ?? 0xfffd));
