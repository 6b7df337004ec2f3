/** Copying a text to the clipboard, or by hand where the browser does not allow it. */
import { h, setText } from '../dom.js';

/** The note that says what was copied, the field that shows the text, and the function that copies. */
export function copier(id: string) {
  const note = h('p', { class: 'hint wide', role: 'status', id: `${id}-note` });
  const text = h('textarea', {
    id: `${id}-text`,
    class: 'copied',
    readonly: true,
    hidden: true,
    rows: 6,
    'aria-label': 'The text to copy',
  });
  return {
    note,
    text,
    async copy(value: string, told: string): Promise<void> {
      let copied = true;
      try {
        await navigator.clipboard.writeText(value);
      } catch {
        copied = false;
      }
      text.hidden = copied;
      text.value = value;
      if (!copied) text.select();
      setText(note, copied ? `Copied: ${told}` : `Copy it from below: ${told}`);
    },
  };
}
