import type { FailureKind } from '@onetake/core';

/**
 * What can stand in for a picture, in the order it is tried where nothing else is said: the last good one of the same
 * request, one of the same prompt with other parameters, a file of the operator's, a drawn one.
 */
export const DEGRADE_KINDS = ['stale', 'similar', 'file', 'placeholder'] as const;

export type DegradeKind = (typeof DEGRADE_KINDS)[number];

/** Failures that are not the caller's: what to change about the others only the caller can, so they must be seen. */
const NOBODYS_FAULT: readonly FailureKind[] = [
  ...(['throttled', 'quota', 'billing', 'authentication', 'permission', 'retired'] as const),
  ...(['overloaded', 'server', 'out_of_memory', 'network', 'certificate', 'timeout', 'unavailable'] as const),
  ...(['empty', 'corrupt', 'suspect', 'storage', 'interrupted'] as const),
];

export function mayDegrade(kind: FailureKind): boolean {
  return NOBODYS_FAULT.includes(kind);
}
