import { z } from 'zod';
import { ADDRESS, type Environment, parseAddress } from './environment.ts';
import { fault, type Report } from './report.ts';

/** Where OpenTelemetry's spans and metrics go, and what is in them. */
export interface TelemetryConfig {
  /** The collector's address for OTLP over HTTP, without a trailing slash and without `v1/traces`. */
  readonly endpoint: string;
  /** What every export carries; holds secrets. */
  readonly headers: Readonly<Record<string, string>>;
  readonly serviceName: string;
  readonly traces: boolean;
  readonly metrics: boolean;
  /** Prompts may stand in traces. */
  readonly prompts: boolean;
  /** Providers are told the trace that their calls belong to. */
  readonly propagate: boolean;
}

const onOff = z
  .union([z.boolean(), z.enum(['on', 'off'])], { error: 'on or off' })
  .transform((value) => value === true || value === 'on');
const NAME = 'a name of 1 to 200 characters';
const VARIABLE = 'the name of an environment variable';

/** The section `telemetry`; off unless an address is set, here or by `OTEL_EXPORTER_OTLP_ENDPOINT`. */
export const telemetry = z.strictObject(
  {
    otlp_endpoint: z.string({ error: ADDRESS }).max(1_000, { error: ADDRESS }).exactOptional(),
    headers_env: z
      .string({ error: VARIABLE })
      .regex(/^[A-Z_][A-Z0-9_]{0,99}$/, { error: VARIABLE })
      .exactOptional(),
    service_name: z.string({ error: NAME }).min(1, { error: NAME }).max(200, { error: NAME }).exactOptional(),
    traces: onOff.default(true),
    metrics: onOff.default(true),
    prompts: onOff.default(false),
    propagate: onOff.default(true),
  },
  { error: 'a map' },
);

const ENDPOINT_VARIABLE = 'OTEL_EXPORTER_OTLP_ENDPOINT';
const HEADERS_VARIABLE = 'OTEL_EXPORTER_OTLP_HEADERS';
const MAX_HEADERS = 32;

/** Undefined where no address is set. The file goes before the environment. */
export function readTelemetry(
  section: z.infer<typeof telemetry>,
  env: Environment,
  report: Report,
): TelemetryConfig | undefined {
  const { otlp_endpoint: told = '', headers_env: variable = HEADERS_VARIABLE, traces, metrics, ...rest } = section;
  const [path, address] = told === '' ? [ENDPOINT_VARIABLE, env[ENDPOINT_VARIABLE]] : ['telemetry.otlp_endpoint', told];
  if (section.headers_env !== undefined && !env[variable])
    report.faults.push(fault('telemetry.headers_env', 'a variable that is set', variable, `set ${variable}`));
  if (!address || isDisabled(env)) return undefined;
  const endpoint = parseAddress(address);
  if (endpoint === undefined) {
    const advice = 'such as http://127.0.0.1:4318; v1/traces is added to it';
    // A user and a password in it are not shown.
    const shown = `${path}: expected ${ADDRESS}, got one that is not shown; ${advice}`;
    report.faults.push(address.includes('@') ? shown : fault(path, ADDRESS, address, advice));
    return undefined;
  }
  return {
    endpoint: endpoint.replace(/\/v1\/(?:traces|metrics)$/, ''),
    headers: readHeaders(env[variable] ?? '', variable, report),
    serviceName: rest.service_name ?? (env.OTEL_SERVICE_NAME || 'onetake'),
    ...{ traces, metrics, prompts: rest.prompts, propagate: rest.propagate },
  };
}

/** The switch that OpenTelemetry itself knows. */
function isDisabled({ OTEL_SDK_DISABLED: value }: Environment): boolean {
  return value?.toLowerCase() === 'true';
}

/** `name=value,name=value`, the values as in a URL. Never said back: they are keys. */
function readHeaders(text: string, variable: string, report: Report): Readonly<Record<string, string>> {
  const headers: Record<string, string> = {};
  for (const [index, entry] of text.split(',').filter(Boolean).entries()) {
    const equals = entry.indexOf('=');
    const name = entry.slice(0, equals).trim().toLowerCase();
    const value = decoded(entry.slice(equals + 1).trim());
    const isHeader =
      equals > 0 && /^[!#$%&'*+.^_`|~0-9a-z-]{1,200}$/.test(name) && /^[\x20-\x7e]*$/.test(value ?? '\n');
    if (isHeader && value !== undefined && index < MAX_HEADERS) headers[name] = value;
    else report.faults.push(`${variable}, entry ${index + 1}: expected name=value, at most ${MAX_HEADERS} of them`);
  }
  return headers;
}

function decoded(value: string): string | undefined {
  try {
    return decodeURIComponent(value);
  } catch {
    return undefined;
  }
}
