import type { Config } from '../../config.ts';
import type { Finding } from '../check.ts';
import type { DoctorWorld } from '../world.ts';

/** What was looked at and is as it should be. */
export function fine(id: string, message: string, subject?: string): Finding {
  return { id, level: 'ok', message, ...(subject !== undefined && { subject }) };
}

/** Whether what concerns this provider was asked for: everything, or it alone. */
export function isAskedFor({ options }: DoctorWorld, provider: string): boolean {
  return options.provider === undefined || options.provider === provider;
}

/** `a, b and 3 more`. */
export function listed(names: readonly string[], most = 5): string {
  const more = names.length - most;
  return `${names.slice(0, most).join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}

export function countText(amount: number, noun: string): string {
  return `${amount} ${noun}${amount === 1 ? '' : 's'}`;
}

export function bytesText(bytes: number): string {
  if (bytes < 1e6) return `${Math.round(bytes / 1e3)} KB`;
  return bytes < 1e9 ? `${Math.round(bytes / 1e6)} MB` : `${(bytes / 1e9).toFixed(1)} GB`;
}

/** What concerns the machine alone goes by the environment where the file cannot be read. */
export function ownConfig({ config }: DoctorWorld): Config | undefined {
  return config.ok ? config.config : config.partial;
}

/** What cannot be looked at before the configuration is mended. */
export function unread(check: string): readonly Finding[] {
  return [{ id: `${check}.unread`, level: 'skipped', message: 'not looked at: the configuration cannot be read' }];
}
