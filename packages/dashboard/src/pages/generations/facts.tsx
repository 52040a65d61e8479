import type { ReactNode } from 'react';
import type { GenerationDetail } from '../../api/generations.ts';
import { isOver } from '../../api/generations.ts';
import { CopyButton } from '../../ui/code.tsx';
import { clock, usd } from '../../ui/format.ts';
import { Badge, Card } from '../../ui/layout.tsx';

const BASIS_WORDS: Readonly<Record<string, string>> = {
  'per-image': 'by the price list',
  usage: 'by the tokens that the provider counted',
  estimated: 'by tokens that were estimated',
  reported: 'as the provider itself said',
  none: 'nothing was billed',
  unknown: 'nobody here knows the price',
  settled: 'as somebody found out at the provider',
};

/** Money and names: what was spent, what may have been, and where to ask about it. */
export function Facts({ generation }: { readonly generation: GenerationDetail }) {
  return (
    <div className="generations-list">
      <Money generation={generation} />
      <Names generation={generation} />
      <Settings generation={generation} />
    </div>
  );
}

export function Fact({ name, children }: { readonly name: string; readonly children: ReactNode }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

function Money({ generation }: { readonly generation: GenerationDetail }) {
  const {
    price_usd,
    price_basis = 'unknown',
    possible_usd,
    possible_charges = 0,
    paid_attempts,
    again_usd,
  } = generation;
  const { settled, settled_at } = generation;
  const isKnown = isOver(generation);
  const isOpen = price_usd === null && possible_charges > 0;
  const spent = isOpen ? 'nothing that is known' : usd(price_usd);
  return (
    <Card title="Money">
      <dl className="generations-facts">
        <Fact name="Spent">
          {isKnown ? spent : 'not known before its end'}
          {isKnown && !isOpen && <small className="muted"> {BASIS_WORDS[price_basis] ?? price_basis}</small>}
        </Fact>
        {possible_charges > 0 && settled === undefined && (
          <Fact name="Possibly spent">
            <span className="warn">up to {usd(possible_usd)}</span>{' '}
            <small className="muted">
              {possible_charges} {possible_charges === 1 ? 'attempt' : 'attempts'} whose charge nobody here knows
            </small>
          </Fact>
        )}
        <Fact name="Attempts that may be billed">{paid_attempts}</Fact>
        {again_usd !== undefined && <Fact name="Once more costs">{usd(again_usd)}</Fact>}
        {settled !== undefined && (
          <Fact name="Settled">
            <Badge>{settled}</Badge> {settled_at !== undefined && clock(settled_at)}
          </Fact>
        )}
      </dl>
    </Card>
  );
}

function Names({ generation }: { readonly generation: GenerationDetail }) {
  const { request_id: own, timeline, caller, endpoint, usage } = generation;
  const provider = [
    ...new Set(timeline.flatMap((event) => (event.type === 'attempt-ended' ? (event.request_id ?? []) : []))),
  ];
  return (
    <Card title="Who and where">
      <dl className="generations-facts">
        {own !== undefined && (
          <Fact name="Request id">
            <Copied text={own} />
          </Fact>
        )}
        {provider.length > 0 && (
          <Fact name={provider.length === 1 ? 'Provider’s id' : 'Provider’s ids'}>
            {provider.map((id) => (
              <Copied key={id} text={id} />
            ))}
          </Fact>
        )}
        {usage && <Fact name="Tokens">{tokenWords(usage)}</Fact>}
        {caller !== undefined && <Fact name="Key">{caller}</Fact>}
        <Fact name="Asked at">
          <code>{endpoint}</code>
        </Fact>
      </dl>
    </Card>
  );
}

function tokenWords(usage: Readonly<Record<string, unknown>>): string {
  const { input_tokens: read = usage.prompt_tokens, output_tokens: written = usage.completion_tokens } = usage;
  return `${read ?? '?'} read, ${written ?? '?'} written`;
}

function Copied({ text }: { readonly text: string }) {
  return (
    <span className="generations-copied">
      <span className="mono">{text}</span>
      <CopyButton text={text} />
    </span>
  );
}

function settingName(name: string): string {
  if (name === 'n') return 'Pictures';
  const words = name.replaceAll('_', ' ');
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** What was asked for beside the prompt. */
function Settings({ generation: { request, policy } }: { readonly generation: GenerationDetail }) {
  const { operation, prompt: _, negative_prompt: __, images = [], extra = {}, ...fields } = request;
  const told = Object.entries({ ...fields, ...extra }).filter(([, value]) => value !== undefined && value !== null);
  return (
    <Card title="Settings">
      <dl className="generations-facts">
        {operation !== undefined && <Fact name="Operation">{operation}</Fact>}
        {told.map(([name, value]) => (
          <Fact key={name} name={settingName(name)}>
            {typeof value === 'object' ? <code>{JSON.stringify(value)}</code> : String(value)}
          </Fact>
        ))}
        {images.length > 0 && <Fact name="References">{images.length}</Fact>}
        <Fact name="Payment">{String(policy.payment ?? '–')}</Fact>
      </dl>
    </Card>
  );
}
