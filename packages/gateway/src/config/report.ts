/** What reading the configuration found; every reader adds to it, so that one start shows every fault. */
export interface Report {
  /** `path: expected …, got …`. */
  readonly faults: string[];
  /** Things worth knowing that are no faults. */
  readonly notices: string[];
}

/** Every fault of the configuration at once. The message holds no key. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly faults: readonly string[];

  constructor(faults: readonly string[]) {
    const heading =
      faults.length === 1 ? 'the configuration has a fault' : `the configuration has ${faults.length} faults`;
    super([`${heading}:`, ...faults.map((fault) => `  ${fault}`)].join('\n'));
    this.faults = faults;
  }
}

const MAX_SHOWN_CHARACTERS = 100;
const NOT_SHOWN = 'a value that is not shown';
/** Fields that hold a key when somebody mistakes what belongs there. */
const KEY_LIKE = /key|token|secret|password|authorization|credential|headers/i;

/** One fault. `field` decides whether the value may be shown. */
export function fault(path: string, expected: string, got: unknown, advice?: string): string {
  const field = path.split('.').at(-1) ?? path;
  const shown = KEY_LIKE.test(field) ? NOT_SHOWN : show(got);
  return `${path}: expected ${expected}, got ${shown}${advice === undefined ? '' : `; ${advice}`}`;
}

function show(value: unknown): string {
  if (value === undefined || value === null) return 'nothing';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'a map';
  if (typeof value !== 'string') return String(value);
  const short = value.length > MAX_SHOWN_CHARACTERS ? `${value.slice(0, MAX_SHOWN_CHARACTERS)}…` : value;
  return JSON.stringify(short);
}

/** `"a" or "b"`, or nothing when there is none. */
export function didYouMean(near: readonly string[]): string | undefined {
  return near.length === 0 ? undefined : `did you mean ${near.map((one) => JSON.stringify(one)).join(' or ')}?`;
}
