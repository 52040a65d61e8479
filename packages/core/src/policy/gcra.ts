/**
 * The generic cell rate algorithm (ITU-T I.371) with burst 1: even spacing. Its state is one instant, the theoretical
 * arrival time; the next is admitted from then on, and `units` of it move it on by `units` spacings.
 */
export function nextArrival(arrival: number | undefined, units: number, spacingMs: number, now: number): number {
  return Math.max(now, arrival ?? 0) + units * spacingMs;
}
