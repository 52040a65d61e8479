/** Whoever logs may be handed anything: what is no business of a log is cut here, before it is a line. */

const MAX_DEPTH = 5;
const MAX_ENTRIES = 100;
const MAX_TEXT_CHARS = 8_000;
const MAX_CAUSES = 4;

/** Fields whose value is never shown, whatever it is. Names of callers and keys' ids are `key` at the top of a line. */
const SECRET_FIELD =
  /authorization|cookie|secret|password|passwd|credential|private.?key|api.?key|admin.?key|access.?token|^x-key$|^key$|^token$|^apikey$/i;
const CENSORED = '[redacted]';

const CUTS: readonly (readonly [RegExp, string])[] = [
  [/-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----[\s\S]*?(?:-----END|$)/g, CENSORED],
  // The query of an address may be all that it takes to open it, and a user in it comes with a password.
  [/\b((?:postgres(?:ql)?|rediss?):\/\/)[^\s"'<>]{1,500}@/gi, '$1[redacted]@'],
  [/\b([a-z][a-z0-9+.-]{1,20}:\/\/)[^\s/"'<>]{1,500}@/gi, '$1[redacted]@'],
  [/\b((?:https?|wss?):\/\/[^\s?#"'<>]{1,2000})[?#][^\s"'<>]*/gi, '$1?…'],
  // Of these the path is the secret.
  [/\b(hooks\.slack\.com|discord(?:app)?\.com\/api\/webhooks)\/[^\s"'<>]*/gi, '$1/…'],
  [/\b((?:set-)?cookie["']?\s*[:=]\s*["']?)[^\r\n"']{4,}/gi, `$1${CENSORED}`],
  [/\b(bearer|basic|key|token|password)\s+(?=[^\s,;"']*[0-9._~+/=-])[A-Za-z0-9._~+/=:-]{8,}/gi, `$1 ${CENSORED}`],
  [
    /\b((?:[\w-]{0,40}(?:authorization|api[_-]?key|secret|password|token))(?:\\?["'])?\s*[:=]\s*(?:\\?["'])?)(?!\[redacted\]|bearer\b|basic\b)[^\s"',;&)}\]\\]{6,}/gi,
    `$1${CENSORED}`,
  ],
  [/\b([\w-]{0,40}(?:key|sig|signature|bearer|session)=)[^\s"',;&)}\]]{6,}/gi, `$1${CENSORED}`],
  // As the keys of providers, ours and those of webhooks begin.
  [/\bwhsec_[A-Za-z0-9+/=_-]{12,}|\bABSK[A-Za-z0-9+/=]{16,}/g, CENSORED],
  [
    /\b(?:sk|pk|rk|ot|otk|xai|gsk|key|hf|r8|AIza|fw|pplx|xox[a-z]|ghp|github_pat)[-_][A-Za-z0-9_-]{12,}|\bAIza[A-Za-z0-9_-]{20,}/g,
    CENSORED,
  ],
  [/\b(?:ya29\.|eyJ[A-Za-z0-9_-]{8,}\.eyJ)[A-Za-z0-9_.-]{8,}/g, CENSORED],
  [/\b[A-Za-z0-9+/]{200,}={0,2}/g, '[base64]'],
];

/** Without the query of an address, what looks like a key, and long base64. */
export function cleanText(text: string): string {
  const short = text.length > MAX_TEXT_CHARS ? `${text.slice(0, MAX_TEXT_CHARS)}…` : text;
  return CUTS.reduce((left, [pattern, put]) => left.replace(pattern, put), short);
}

/** The fields of one line: at the top a name may be called `key`, inside of what was handed over it is a secret. */
export function cleanFields(fields: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [
      name,
      name !== 'key' && SECRET_FIELD.test(name) ? CENSORED : clean(value, 1),
    ]),
  );
}

function clean(value: unknown, depth: number): unknown {
  if (typeof value === 'string') return cleanText(value);
  if (typeof value === 'bigint') return String(value);
  if (typeof value !== 'object' || value === null) return value;
  if (value instanceof Error) return errorFields(value);
  if (value instanceof URL) return cleanText(value.href);
  if (ArrayBuffer.isView(value)) return `<${value.byteLength} B>`;
  if (depth >= MAX_DEPTH) return '…';
  if (Array.isArray(value)) return value.slice(0, MAX_ENTRIES).map((one) => clean(one, depth + 1));
  const entries = Object.entries(value).slice(0, MAX_ENTRIES);
  return Object.fromEntries(
    entries.map(([name, inner]) => [name, SECRET_FIELD.test(name) ? CENSORED : clean(inner, depth + 1)]),
  );
}

/** What else stands on an error and says where it comes from; what a client hangs on it (request, headers, body) does not. */
const TOLD = ['code', 'errno', 'syscall', 'hostname', 'address', 'port', 'status', 'statusCode', 'detail'] as const;

/** An error as it is logged: name, message, where it came from and its causes, and no more of what hangs on it. */
export function errorFields(error: unknown, causes = 0): Record<string, unknown> {
  if (!(error instanceof Error)) return { message: cleanText(String(error)) };
  const given = error as Error & Readonly<Record<string, unknown>>;
  const told = TOLD.flatMap((name) => {
    const value = given[name];
    return typeof value === 'string' || typeof value === 'number' ? [[name, clean(value, 1)] as const] : [];
  });
  const { cause } = error;
  return {
    type: error.name,
    message: cleanText(error.message),
    ...Object.fromEntries(told),
    ...(error.stack !== undefined && { stack: cleanText(error.stack) }),
    ...(cause !== undefined && causes < MAX_CAUSES && { cause: errorFields(cause, causes + 1) }),
  };
}
