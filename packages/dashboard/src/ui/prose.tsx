/** A sentence of the gateway: what stands between backticks in it is code. */
export function Prose({ text }: { readonly text: string }) {
  const parts = text.split('`').map((part, index, all) => {
    const at = all.slice(0, index).join('`').length;
    return { part, at, isCode: index % 2 === 1 };
  });
  return parts.map(({ part, at, isCode }) => (isCode ? <code key={at}>{part}</code> : part));
}
