/** Who waits for the run: an absent caller's run is not paid for any more, one that was sent is. */
export interface Presence {
  /** Since when (epoch ms) nobody waits; undefined while somebody does. */
  readonly absentSince?: number;
  /** How long an unsent run outlives its caller. */
  readonly unsentGraceMs: number;
}
