import { useMemo, useState } from 'react';
import { type Key, useCreateKey, useKeys } from '../../api/keys.ts';
import { type BudgetUse, useBudgets } from '../../api/now.ts';
import { useSession } from '../../api/session.ts';
import { Button } from '../../ui/button.tsx';
import { Field } from '../../ui/field.tsx';
import { count } from '../../ui/format.ts';
import { Page } from '../../ui/layout.tsx';
import { Empty, Loading, Queried } from '../../ui/states.tsx';
import { KeyForm } from './key-form.tsx';
import { KeyRow } from './key-row.tsx';
import { Revoke } from './revoke.tsx';
import { Secret } from './secret.tsx';
import './keys.css';

const FILTER_FROM = 8;
const PAGE_ROWS = 50;

/** Who may call, and up to what. */
export default function Keys() {
  const [isMaking, setMaking] = useState(false);
  const [revoking, setRevoking] = useState<Key>();
  const { create, release } = useCreateKey();
  const isHeld = create.data !== undefined;
  const keys = useKeys({ isHeld });
  const budgets = useBudgets({ isHeld });
  const session = useSession();
  return (
    <Page
      title="Keys"
      actions={
        <Button look="main" onClick={() => setMaking(true)}>
          New key
        </Button>
      }
    >
      <Queried query={keys} what="the keys">
        {({ data }) =>
          // With what is left of each at once, so that no row grows under the pointer.
          budgets.isPending ? (
            <Loading what="the budgets" />
          ) : data.length === 0 ? (
            <Empty>
              No key was made here yet. Give each application one of its own: costs, limits and what it made stay apart,
              and one that leaks is revoked alone.
            </Empty>
          ) : (
            <KeyList keys={data} budgets={budgets.data ?? []} onRevoke={setRevoking} />
          )
        }
      </Queried>
      {isMaking && !isHeld && (
        <KeyForm
          create={create}
          isFirst={session.data?.needs_key === false}
          onClose={() => {
            create.reset();
            setMaking(false);
          }}
        />
      )}
      {create.data && (
        <Secret
          made={create.data}
          isFirst={session.data?.needs_key === false}
          onClose={() => {
            setMaking(false);
            release();
          }}
        />
      )}
      {revoking && <Revoke name={revoking.name} onClose={() => setRevoking(undefined)} />}
    </Page>
  );
}

/** Those that work first, the newest first. */
function KeyList(props: {
  readonly keys: readonly Key[];
  readonly budgets: readonly BudgetUse[];
  readonly onRevoke: (key: Key) => void;
}) {
  const { keys, budgets, onRevoke } = props;
  const [text, setText] = useState('');
  const [isEveryone, setEveryone] = useState(false);
  const [shown, setShown] = useState(PAGE_ROWS);
  const found = useMemo(() => {
    const wanted = keys.filter(
      ({ name, status }) =>
        name.toLowerCase().includes(text.trim().toLowerCase()) && (isEveryone || status === 'usable'),
    );
    return wanted.toSorted(
      (one, other) =>
        Number(other.status === 'usable') - Number(one.status === 'usable') || other.created_at - one.created_at,
    );
  }, [keys, text, isEveryone]);
  const over = keys.filter(({ status }) => status !== 'usable').length;
  return (
    <>
      {(keys.length >= FILTER_FROM || over > 0) && (
        <div className="keys-filter">
          <Field label="Name has">
            {(field) => (
              <input {...field} type="search" value={text} onChange={({ target }) => setText(target.value)} />
            )}
          </Field>
          {over > 0 && (
            <label>
              <input type="checkbox" checked={isEveryone} onChange={({ target }) => setEveryone(target.checked)} />{' '}
              Revoked and expired too ({count(over)})
            </label>
          )}
        </div>
      )}
      {found.length === 0 && <Empty>No key is like that.</Empty>}
      <ul className="keys-list">
        {found.slice(0, shown).map((key) => (
          <KeyRow
            key={key.name}
            of={key}
            budgets={budgets.filter((budget) => budget.key === key.name)}
            onRevoke={() => onRevoke(key)}
          />
        ))}
      </ul>
      {found.length > shown && (
        <Button onClick={() => setShown(shown + PAGE_ROWS)}>Show more of {count(found.length)}</Button>
      )}
    </>
  );
}
