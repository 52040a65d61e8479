import { useState } from 'react';
import { applyTheme, storedTheme, type Theme } from '../theme.ts';

const THEMES: readonly Theme[] = ['auto', 'light', 'dark'];

export function ThemeChoice() {
  const [theme, setTheme] = useState(storedTheme);
  return (
    <label className="theme-choice">
      <span className="muted">Theme</span>
      <select
        value={theme}
        onChange={({ target }) => {
          const chosen = THEMES.find((one) => one === target.value) ?? 'auto';
          applyTheme(chosen);
          setTheme(chosen);
        }}
      >
        {THEMES.map((one) => (
          <option key={one} value={one}>
            {one}
          </option>
        ))}
      </select>
    </label>
  );
}
