import { type FormEvent, useEffect, useState } from 'react';
import { type Diagnosis, type Finding, type Level, useDiagnosis } from '../../api/doctor.ts';
import { useTargets } from '../../api/targets.ts';
import { Button } from '../../ui/button.tsx';
import { Code } from '../../ui/code.tsx';
import { Explained } from '../../ui/explanation.tsx';
import { Field } from '../../ui/field.tsx';
import { count } from '../../ui/format.ts';
import { Badge, Card, Page, type Tone } from '../../ui/layout.tsx';
import { Empty, ErrorBox } from '../../ui/states.tsx';
import { Time } from '../../ui/time.tsx';
import { type Area, areasOf, isLeftOut, isWrong, leftOut } from './findings.ts';
import './doctor.css';

/** What is wrong with the gateway itself, and what an error means. */
export default function Doctor() {
  const diagnosis = useDiagnosis();
  return (
    <Page title="Doctor">
      <Examination onRun={diagnosis.mutate} isBusy={diagnosis.isPending} hasRun={diagnosis.data !== undefined} />
      <div role="status" className="doctor-said">
        {diagnosis.isPending && <p className="loading">Looking at everything; asking providers takes some seconds…</p>}
        {diagnosis.data && !diagnosis.isPending && <Verdict of={diagnosis.data} />}
      </div>
      {diagnosis.isError && <ErrorBox error={diagnosis.error} />}
      {diagnosis.data && !diagnosis.isPending && <Findings of={diagnosis.data} />}
      {diagnosis.isIdle && (
        <Empty>
          Nothing was looked at yet. The doctor reads the configuration, keys, routes, data directory and database of
          this gateway; it changes nothing and pays for nothing.
        </Empty>
      )}
      <ExplainError />
    </Page>
  );
}

function Examination(props: {
  readonly onRun: (wanted: { readonly network: boolean; readonly provider: string }) => void;
  readonly isBusy: boolean;
  readonly hasRun: boolean;
}) {
  const { onRun, isBusy, hasRun } = props;
  const [network, setNetwork] = useState(false);
  const [provider, setProvider] = useState('');
  const targets = useTargets();
  const submit = (event: FormEvent) => {
    event.preventDefault();
    onRun({ network, provider });
  };
  return (
    <form className="doctor-form" onSubmit={submit}>
      <Field label="Look at">
        {(field) => (
          <select {...field} value={provider} onChange={({ target }) => setProvider(target.value)}>
            <option value="">everything</option>
            {targets.data?.providers.map((id) => (
              <option key={id} value={id}>
                provider {id}
              </option>
            ))}
          </select>
        )}
      </Field>
      <label className="doctor-network">
        <input type="checkbox" checked={network} onChange={({ target }) => setNetwork(target.checked)} /> Ask the
        providers too (some seconds; nothing is paid for)
      </label>
      <Button look="main" type="submit" isBusy={isBusy}>
        {hasRun ? 'Examine again' : 'Examine'}
      </Button>
    </form>
  );
}

const WORDS = {
  healthy: ['Healthy', 'good', 'nothing that was looked at is wrong'],
  warnings: ['Works, with warnings', 'warn', 'requests are answered, and something wants attention'],
  broken: ['Broken', 'bad', 'some requests cannot work until it is mended'],
} as const;

function Verdict({ of: { health, counts, at } }: { readonly of: Diagnosis }) {
  const [word, tone, meaning] = WORDS[health];
  return (
    <p className="doctor-verdict">
      <Badge tone={tone}>{word}</Badge>
      <span>
        {meaning}: {count(counts.broken)} broken, {count(counts.warning)}{' '}
        {counts.warning === 1 ? 'warning' : 'warnings'}, {count(counts.ok)} well, {count(counts.skipped)} not looked at
      </span>
      <span className="muted">
        as of <Time at={at} />
      </span>
    </p>
  );
}

function Findings({ of: { findings } }: { readonly of: Diagnosis }) {
  const areas = areasOf(findings.filter((finding) => !isLeftOut(finding)));
  const unasked = leftOut(findings);
  const [wrong, well] = [areas.filter(isWrong), areas.filter((area) => !isWrong(area))];
  return (
    <>
      {wrong.map((area) => (
        <AreaCard key={area.check} area={area} />
      ))}
      <Card title="Well">
        <dl className="doctor-well">
          {well.map(({ check, title, findings: own }) => (
            <div key={check}>
              <dt>{title}</dt>
              <dd>
                {own.map((finding) => (
                  <WellLine key={`${finding.id} ${finding.subject} ${finding.message}`} of={finding} />
                ))}
              </dd>
            </div>
          ))}
        </dl>
        {unasked.length > 0 && (
          <p className="muted">Not looked at, because the providers were not asked: {unasked.join(', ')}.</p>
        )}
      </Card>
    </>
  );
}

const TONES: Readonly<Record<Level, Tone>> = { ok: 'good', skipped: 'plain', warning: 'warn', broken: 'bad' };
const LEVELS: Readonly<Record<Level, string>> = {
  ok: 'well',
  skipped: 'not looked at',
  warning: 'warning',
  broken: 'broken',
};

function AreaCard({ area: { title, findings } }: { readonly area: Area }) {
  return (
    <Card title={title}>
      <ul className="doctor-list">
        {findings.map((finding) => (
          <li key={`${finding.id} ${finding.subject} ${finding.message}`}>
            <OneFinding of={finding} />
          </li>
        ))}
      </ul>
    </Card>
  );
}

function OneFinding({ of: { level, message, advice, fix, link, id } }: { readonly of: Finding }) {
  return (
    <>
      <p className="doctor-line">
        <Badge tone={TONES[level]}>{LEVELS[level]}</Badge> <strong>{message}</strong>
      </p>
      {advice !== undefined && <p>{advice}</p>}
      {fix !== undefined && <Code text={fix} label="What would mend it" />}
      <p className="muted">
        <code>{id}</code>
        {link !== undefined && (
          <>
            {' · '}
            <a href={link} target="_blank" rel="noreferrer">
              {link}
            </a>
          </>
        )}
      </p>
    </>
  );
}

function WellLine({ of: { level, message } }: { readonly of: Finding }) {
  const isWell = level === 'ok';
  return (
    <p className={isWell ? 'doctor-line' : 'doctor-line muted'}>
      <span className={isWell ? 'good' : ''} aria-hidden="true">
        {isWell ? '✓' : '·'}
      </span>{' '}
      {!isWell && <span className="hidden-text">not looked at: </span>}
      {message}
    </p>
  );
}

/** Typing is over after this long. */
const PAUSE_MS = 350;

function ExplainError() {
  const [text, setText] = useState('');
  const [sought, setSought] = useState('');
  useEffect(() => {
    const timer = setTimeout(() => setSought(text.trim()), PAUSE_MS);
    return () => clearTimeout(timer);
  }, [text]);
  return (
    <Card title="What does this error mean?">
      <Field
        label="An error"
        hint="A message, a code, a status or a whole answer, from here or from a provider. Nothing of it is kept."
      >
        {(field) => (
          <textarea
            {...field}
            rows={4}
            className="mono"
            placeholder='{"error":{"message":"Rate limit reached …","code":"rate_limit_exceeded"}}'
            value={text}
            onChange={({ target }) => setText(target.value)}
          />
        )}
      </Field>
      <div aria-live="polite">{sought !== '' && <Explained text={sought} />}</div>
    </Card>
  );
}
