/** Shorter parts of a key are words that stand in many texts. */
const MIN_SECRET_CHARS = 8;

/**
 * How a key may come back in text: whole, or the part after a colon or a space (`name:password`, `Bearer token`), as it
 * is, in an address, and in base64 wherever in the encoded text it began. The longest first.
 */
export function secretForms(secret: string): readonly string[] {
  const parts = [secret, ...secret.split(/[\s:]+/).slice(1)].filter((part) => part.length >= MIN_SECRET_CHARS);
  const forms = parts.flatMap((part) => [part, encodeURIComponent(part), ...base64Forms(part)]);
  return [...new Set(forms)].toSorted((a, b) => b.length - a.length);
}

/** The characters that the text alone decides, whatever stands before and after it; in both alphabets. */
function base64Forms(text: string): readonly string[] {
  const bytes = Buffer.from(text, 'utf8');
  return [0, 1, 2].flatMap((shift) => {
    const whole = Buffer.concat([Buffer.alloc(shift), bytes]);
    const from = shift === 0 ? 0 : shift + 1;
    const until = Math.floor((whole.length * 8) / 6);
    return (['base64', 'base64url'] as const).map((alphabet) => whole.toString(alphabet).slice(from, until));
  });
}
