const KEPT_MS = 60_000;

/** Hands bytes to the browser as a file, for what a plain link cannot fetch: it would not carry the page's header. */
export function saveAs(blob: Blob, name: string): void {
  const url = URL.createObjectURL(blob);
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), KEPT_MS);
}
