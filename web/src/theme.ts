/** The colour scheme: light, dark, or that of the system. */

const themes = ['system', 'light', 'dark'] as const;
type Theme = (typeof themes)[number];
const key = 'parallax-theme';
const glyphs: Record<Theme, string> = { system: '◐', light: '☀', dark: '☾' };
const names: Record<Theme, string> = { system: 'system', light: 'light', dark: 'dark' };

function stored(): Theme {
  try {
    const value = localStorage.getItem(key);
    return themes.find((theme) => theme === value) ?? 'system';
  } catch {
    /* Storage may be disabled: the page works without it. */
    return 'system';
  }
}

function store(theme: Theme): void {
  try {
    localStorage.setItem(key, theme);
  } catch {
    /* As above. */
  }
}

/** Makes the button cycle through the themes, and calls `changed` when colours may have changed. */
export function mountTheme(button: HTMLButtonElement, changed: () => void): void {
  let theme = stored();
  const show = () => {
    if (theme === 'system') delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = theme;
    button.textContent = glyphs[theme];
    button.setAttribute('aria-label', `Colour scheme: ${names[theme]}`);
    button.title = `Colour scheme: ${names[theme]}`;
  };
  show();
  button.addEventListener('click', () => {
    theme = themes[(themes.indexOf(theme) + 1) % themes.length] ?? 'system';
    store(theme);
    show();
    changed();
  });
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', changed);
}
