import { defects, type Mutant } from './mutant.ts';

const origin = defects(
  'gateway',
  'http/page-session.ts',
  ['http/page-session.test.ts'],
  [
    ['takes the cookie without the header of our page', "if (!values(PAGE_HEADER).includes('1')) return [];", ''],
    ['takes the cookie from a page of the same site', "site !== 'same-origin'", "site === 'cross-site'"],
    ['takes the cookie from another origin', '!own.includes(origin)', "origin === 'null'"],
  ],
);

const callers = defects(
  'gateway',
  'http/callers.ts',
  ['http/page-session.test.ts'],
  [
    ['keeps a session whose key was changed', 'if (key && isFor(key.digest) &&', 'if (key &&'],
    ['keeps a session whose key was revoked', '&& whyOver(key, now()) === undefined)', ')'],
    ['keeps the administrator’s session when the key is another', 'adminKey && isFor(adminKey.digest)', 'adminKey'],
    ['lets the cookie win over a key', 'if (!showsKey(rawHeaders)) {', 'if (rawHeaders.length > 0) {'],
  ],
);

const signature = defects(
  'gateway',
  'keys/session.ts',
  ['keys/session.test.ts'],
  [
    ['signs no expiry', 'JSON.stringify([expiry, holder, digest])', 'JSON.stringify([holder, digest])'],
    ['lets a session last for ever', 'if (now() >= Number(expiry)) return undefined;', ''],
  ],
);

const cookie = defects(
  'gateway',
  'http/page-session.ts',
  ['http/session.test.ts'],
  [['shows the cookie to scripts', "['HttpOnly', ", "['Priority=High', "]],
);

const login = defects(
  'gateway',
  'http/session.ts',
  ['http/session.test.ts'],
  [
    ['signs in who administers nothing', 'if (identity.isAdmin &&', 'if (identity &&'],
    ['counts no wrong key', 'guesses.failed();', ''],
  ],
);

const page = defects(
  'gateway',
  'http/page.ts',
  ['http/page.test.ts'],
  [
    ['lets scripts of others run', `"script-src 'self'"`, `"script-src 'self' https:"`],
    ['gives one tag to two encodings', "encoding === 'identity' ? ''", "true ? ''"],
  ],
);

const told = [
  ...defects(
    'gateway',
    'http/now.ts',
    ['http/now.test.ts'],
    [['goes on telling whose key was revoked', 'if (!isStillAdmin()) return void response.end();', '']],
  ),
  ...defects(
    'core',
    'loop.ts',
    ['without-words.test.ts'],
    [['tells others the words of a request', 'outcomeForOthers(outcome, wordsSentTo(target, step))', 'outcome']],
  ),
  ...defects(
    'gateway',
    'tracing/exporting.ts',
    ['tracing/telemetry.test.ts'],
    [['exports the keys of another collector', 'for (const [name] of set) delete process.env[name];', '']],
  ),
  ...defects(
    'gateway',
    'metrics/counting.ts',
    ['metrics/metrics.test.ts'],
    [['labels with a provider’s sentence', 'bounds.code(plainCode(code))', 'bounds.code(code)']],
  ),
];

export const PAGE_MUTANTS: readonly Mutant[] = [
  ...origin,
  ...callers,
  ...signature,
  ...cookie,
  ...login,
  ...page,
  ...told,
];
