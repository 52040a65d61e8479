import { type ReactNode, useId } from 'react';

/** What a control needs so that its label, hint and error belong to it. */
export interface ControlProps {
  readonly id: string;
  readonly 'aria-describedby': string | undefined;
  readonly 'aria-invalid': boolean | undefined;
}

/** A control with its label; `hint` says what goes in, `error` what is wrong with it, `off` why it cannot be used. */
export function Field(props: {
  readonly label: ReactNode;
  readonly hint?: ReactNode;
  readonly error?: ReactNode;
  readonly className?: string;
  readonly children: (control: ControlProps) => ReactNode;
}) {
  const { label, hint, error, className = '', children } = props;
  const id = useId();
  const noteId = `${id}-note`;
  const note = error ?? hint;
  return (
    <div className={`field ${className}`}>
      <label htmlFor={id}>{label}</label>
      {children({
        id,
        'aria-describedby': note === undefined ? undefined : noteId,
        'aria-invalid': error === undefined ? undefined : true,
      })}
      {note !== undefined && (
        <small id={noteId} className={error === undefined ? 'muted' : 'bad'}>
          {note}
        </small>
      )}
    </div>
  );
}
