import { useDeferredValue, useState } from 'react';
import { type FailureGroup, MAX_FAILURE_GROUPS, useFailures } from '../../api/failures.ts';
import { go, href, usePlace } from '../../router.ts';
import { Explained } from '../../ui/explanation.tsx';
import { Field } from '../../ui/field.tsx';
import { count } from '../../ui/format.ts';
import { Badge, Page } from '../../ui/layout.tsx';
import { Empty, Queried } from '../../ui/states.tsx';
import { Ago, Time } from '../../ui/time.tsx';
import { chosen, explainable, type Order, PERIODS, periodOf } from './grouping.ts';
import './failures.css';

/** What went wrong, each failure once however often it came, and what to do about it. */
export default function Failures() {
  const { query } = usePlace();
  const since = periodOf(query.get('period'));
  const failures = useFailures(since);
  const [text, setText] = useState('');
  const [order, setOrder] = useState<Order>('latest');
  const sought = useDeferredValue(text);
  return (
    <Page title="Failures">
      <div className="failures-choice">
        <Field label="Period">
          {(field) => (
            <select
              {...field}
              value={since}
              onChange={({ target }) => go(href('failures', undefined, { period: target.value }), { replace: true })}
            >
              {PERIODS.map(([period, words]) => (
                <option key={period} value={period}>
                  {words}
                </option>
              ))}
            </select>
          )}
        </Field>
        <Field label="Order">
          {(field) => (
            <select
              {...field}
              value={order}
              onChange={({ target }) => setOrder(target.value === 'most' ? 'most' : 'latest')}
            >
              <option value="latest">the latest first</option>
              <option value="most">the most frequent first</option>
            </select>
          )}
        </Field>
        <Field label="Has" className="failures-text">
          {(field) => (
            <input
              {...field}
              type="search"
              placeholder="words, a code, a target or a key"
              value={text}
              onChange={({ target }) => setText(target.value)}
            />
          )}
        </Field>
      </div>
      <Queried query={failures} what="what failed">
        {({ data }) => <Groups all={data} text={sought} order={order} />}
      </Queried>
    </Page>
  );
}

function Groups(props: { readonly all: readonly FailureGroup[]; readonly text: string; readonly order: Order }) {
  const { all, text, order } = props;
  if (all.length === 0) {
    return (
      <Empty>
        Nothing failed in this time. To see what failures look like, let the <a href={href('sandbox')}>Sandbox</a> make
        one: it costs nothing.
      </Empty>
    );
  }
  const found = chosen(all, text, order);
  const times = found.reduce((sum, one) => sum + one.count, 0);
  return (
    <>
      <p className="muted" role="status">
        {count(found.length)} {found.length === 1 ? 'failure' : 'different failures'}, {count(times)} times
        {all.length === MAX_FAILURE_GROUPS && `; these are the latest ${count(MAX_FAILURE_GROUPS)}, there may be more`}
      </p>
      <ul className="failures-list">
        {found.map((group) => (
          <Group key={group.fingerprint} group={group} />
        ))}
      </ul>
    </>
  );
}

const SHOWN_KEYS = 5;

function Group({ group }: { readonly group: FailureGroup }) {
  const { count: times, first_at: first, last_at: last, target, kind, code, message, keys, generation, advice } = group;
  const [isOpen, setOpen] = useState(false);
  return (
    <li className="card">
      <div className="failures-head">
        <Badge tone={times > 1 ? 'bad' : 'plain'}>
          {count(times)} {times === 1 ? 'time' : 'times'}
        </Badge>
        <h2>{message}</h2>
      </div>
      <p className="failures-advice">{advice}</p>
      <div className="failures-facts muted">
        <span>
          last <Ago at={last} />
        </span>
        {times > 1 && (
          <span>
            first <Time at={first} />
          </span>
        )}
        {target !== null && <span className="mono">{target}</span>}
        <span>
          kind <code>{kind}</code>
          {code !== null && code !== kind && (
            <>
              , code <code>{code}</code>
            </>
          )}
        </span>
        <span>
          {keys.length === 1 ? 'key' : 'keys'} {keys.slice(0, SHOWN_KEYS).join(', ')}
          {keys.length > SHOWN_KEYS && ` and ${count(keys.length - SHOWN_KEYS)} more`}
        </span>
        <a href={href('generations', generation)}>the newest of them</a>
        {code !== null && <a href={href('generations', undefined, { code })}>all with this code</a>}
      </div>
      <details onToggle={({ currentTarget }) => setOpen(currentTarget.open)}>
        <summary>Explain it</summary>
        {isOpen && <Explained text={explainable(group)} />}
      </details>
    </li>
  );
}
