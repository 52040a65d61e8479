/** What stands around a key that does not belong to it, as people paste it along. */
export interface Pasted {
  /** The end of the finding's id. */
  readonly id: 'assignment' | 'bearer' | 'quotes' | 'space';
  readonly what: string;
  /** The gateway takes it off by itself. */
  readonly isMended: boolean;
}

/** The key alone, and what stood around it; the words are never told. */
export function unpasted(raw: string): { readonly key: string; readonly pasted: readonly Pasted[] } {
  const pasted: Pasted[] = [];
  let key = raw;
  if (/^\s|\s$/.test(key)) pasted.push({ id: 'space', what: spaceAround(key), isMended: true });
  key = key.trim();
  // Asked first: what stands in quotes, or after Bearer, may follow the name.
  const assigned =
    /^(?:(?:export|set|setx|\$env:)\s*)?[A-Z][A-Z0-9_]{0,60}(?:KEY|TOKEN|SECRET|AUTH|BEDROCK)[A-Z0-9_]{0,20}\s*[=:]\s*(.+)$/s.exec(
      key,
    );
  if (assigned?.[1] !== undefined) {
    pasted.push({ id: 'assignment', what: 'the name of the variable and an = before the key', isMended: false });
    key = assigned[1].trim();
  }
  const quoted = /^(["'`])(.*)\1$/s.exec(key);
  if (quoted?.[2] !== undefined) {
    // Backquotes stay, and go out with the key.
    pasted.push({ id: 'quotes', what: 'quotes around the key', isMended: quoted[1] !== '`' && !assigned });
    key = quoted[2].trim();
  } else if (/^["'`“”‘’]|["'`“”‘’]$/.test(key)) {
    pasted.push({ id: 'quotes', what: 'a stray quote at an end of the key', isMended: false });
    key = key.replace(/^["'`“”‘’]+|["'`“”‘’]+$/g, '').trim();
  }
  const worded = /^(?:Authorization:\s*)?(?:Bearer|Key|Token)\s+(.*)$/is.exec(key);
  if (worded?.[1] !== undefined) {
    const isMended = /^Bearer\s/i.test(key) && !assigned;
    pasted.push({ id: 'bearer', what: 'the word of an Authorization header before the key', isMended });
    key = worded[1].trim();
  }
  if (/\s/.test(key)) pasted.push({ id: 'space', what: spaceInside(key), isMended: false });
  return { key, pasted };
}

function spaceAround(text: string): string {
  return /[\r\n]$|^[\r\n]/.test(text) ? 'a line break at an end of the key' : 'a space at an end of the key';
}

function spaceInside(text: string): string {
  return /[\r\n]/.test(text) ? 'a line break inside the key' : 'a space inside the key';
}
