/** The last press of the button. */
export interface LastPress {
  /** What stood in the form. */
  readonly form: string;
  readonly key: string;
  /** The gateway said what became of it. */
  readonly isAnswered: boolean;
}

/**
 * The Idempotency-Key of a press: a new one, but for the same form whose last press got no answer. That one may have
 * arrived and be paid for, so its key is shown again and it is given out instead of being made twice.
 */
export function keyFor(form: string, last: LastPress | undefined, draw: () => string): LastPress {
  const isSame = last !== undefined && !last.isAnswered && last.form === form;
  return { form, key: isSame ? last.key : draw(), isAnswered: false };
}
