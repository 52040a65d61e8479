import { type ReactNode, useCallback, useState } from 'react';
import { type Mark, type Marking, type Picture, useMark } from '../../api/gallery.ts';
import { ErrorBox } from '../../ui/states.tsx';

const SAYS = { star: 'Starred', reject: 'Rejected' } as const;

/** Marks pictures; `said` is for those who do not see it, `failure` is shown where a mark was taken back. */
export function useMarking(): {
  readonly mark: (picture: Picture, mark: Mark) => void;
  readonly said: string;
  readonly failure: ReactNode;
} {
  const [said, setSaid] = useState('');
  const [failed, setFailed] = useState<{ readonly error: unknown; readonly marking: Marking }>();
  const { mutate } = useMark((error, marking) => {
    setSaid('The mark was taken back');
    setFailed({ error, marking });
  });
  const mark = useCallback(
    ({ hash, prompt }: Picture, wanted: Mark) => {
      setFailed(undefined);
      setSaid(`${wanted === null ? 'No mark' : SAYS[wanted]}: ${prompt}`);
      mutate({ hash, mark: wanted });
    },
    [mutate],
  );
  const again = () => {
    setFailed(undefined);
    if (failed) mutate(failed.marking);
  };
  return {
    mark,
    said,
    failure: failed && (
      <div className="gallery-failure">
        <p>The mark was taken back:</p>
        <ErrorBox error={failed.error} onRetry={again} />
      </div>
    ),
  };
}
