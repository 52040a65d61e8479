/** A picture that something in the store refers to. */
export interface AssetRow {
  readonly hash: string;
  readonly type: string;
  readonly bytes: number;
}
