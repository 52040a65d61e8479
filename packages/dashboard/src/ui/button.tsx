import type { ButtonHTMLAttributes } from 'react';

export interface ButtonProps extends ButtonHTMLAttributes<HTMLButtonElement> {
  /** `main`: what one came for, once per view. `danger`: it cannot be undone. */
  readonly look?: 'main' | 'plain' | 'quiet' | 'danger';
  /** It was pressed and is not done. */
  readonly isBusy?: boolean;
}

export function Button({ look = 'plain', isBusy = false, disabled, children, className = '', ...rest }: ButtonProps) {
  return (
    <button
      type="button"
      {...rest}
      className={`button button-${look} ${className}`}
      disabled={disabled === true || isBusy}
      aria-busy={isBusy}
    >
      {children}
    </button>
  );
}
