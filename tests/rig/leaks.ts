import { readdirSync } from 'node:fs';
import { join } from 'node:path';

/**
 * Where a secret is meant to be: the files that hold it, and the one answer that shows a new key. Everything else is
 * searched.
 */
const MEANT: readonly { readonly where: RegExp; readonly secrets: readonly string[]; readonly reason: string }[] = [
  { where: /^data\/admin\.key$/, secrets: ['admin'], reason: 'the administrator’s key of this machine, mode 0600' },
  { where: /^the-key$/, secrets: ['key file'], reason: 'the file that the user keeps the key in' },
  {
    where: /^data\/onetake\.db(?:-wal)?$/,
    secrets: ['made webhook secret'],
    reason: 'what webhooks are signed with has to be kept, and each caller can ask for theirs',
  },
  {
    where: /^GET \/v1\/webhooks\/secret$/,
    secrets: ['webhook', 'made webhook secret'],
    reason: 'a caller asks for the secret that its webhooks are signed with',
  },
  { where: /^POST \/v1\/session$/, secrets: ['session'], reason: 'the cookie is set here, for scripts never to see' },
  { where: /^POST \/v1\/keys$/, secrets: ['managed'], reason: 'a new key is shown this once' },
];

/** Which secrets are in a text, in any form, and whether a header with a key or a long base64 is. */
export function leaksIn(where: string, text: string, canaries: Readonly<Record<string, string>>): readonly string[] {
  const meant = MEANT.filter((one) => one.where.test(where)).flatMap(({ secrets }) => secrets);
  const leaked = Object.entries(canaries)
    .filter(([name]) => !meant.includes(name))
    .filter(([, value]) => formsOf(value).some((form) => text.includes(form)))
    .map(([name]) => `${where}: ${name}`);
  // A variable, a placeholder in angle brackets and dots are none.
  const hasHeader = /authorization["'\s:=\\]{1,6}(?:bearer|basic|key|token)?\s*[\w+/.-]{8,}/i.test(text);
  const hasBase64 = !PICTURES.test(where) && /(?<![\w+/])[A-Za-z0-9+/]{200,}={0,2}/.test(text);
  return [
    ...leaked,
    ...(hasHeader ? [`${where}: an authorization header`] : []),
    ...(hasBase64 ? [`${where}: base64`] : []),
  ];
}

/** Answers that are pictures in base64 by contract. */
const PICTURES = /^POST \/v1\/images\/generations$/;

/** As it is, without what stands before a colon, in hexadecimal, and in base64 wherever in a text it began. */
function formsOf(value: string): readonly string[] {
  const parts = [value, ...(value.includes(':') ? [value.slice(value.indexOf(':') + 1)] : [])];
  return parts.flatMap((part) => {
    const bytes = Buffer.from(part);
    const encoded = [0, 1, 2].map((shift) => {
      const text = Buffer.concat([Buffer.alloc(shift), bytes]).toString('base64');
      return text.slice(shift === 0 ? 0 : shift + 1).slice(0, -4);
    });
    return [part, encodeURIComponent(part), bytes.toString('hex'), ...encoded];
  });
}

/** All files below it. */
export function filesUnder(directory: string): readonly string[] {
  return readdirSync(directory, { withFileTypes: true, recursive: true }).flatMap((entry) =>
    entry.isFile() ? [join(entry.parentPath, entry.name)] : [],
  );
}
