import { type Alerts, type ChannelTest, useAlertTest } from '../../api/alerts.ts';
import { Button } from '../../ui/button.tsx';
import { Code } from '../../ui/code.tsx';
import { Badge, Card } from '../../ui/layout.tsx';
import { ErrorBox } from '../../ui/states.tsx';

const EXAMPLE = `alerts:
  channels:
    - { name: team, kind: slack, url_env: SLACK_WEBHOOK_URL }
    - { name: pager, kind: webhook, url: https://pager.example/hook, secret_env: PAGER_SECRET }`;

/** Who is told, and whether they hear it. */
export function Channels({ channels }: Pick<Alerts, 'channels'>) {
  const test = useAlertTest();
  return (
    <Card
      title="Channels"
      actions={
        channels.length > 0 && (
          <Button isBusy={test.isPending} onClick={() => test.mutate(undefined)}>
            Test all
          </Button>
        )
      }
    >
      {channels.length === 0 ? (
        <>
          <p className="muted">
            Nobody is told: alerts show here, in the log and in <code>/metrics</code> alone. Put a channel into
            onetake.yaml:
          </p>
          <Code text={EXAMPLE} label="Channels in onetake.yaml" />
        </>
      ) : (
        <ul className="alerts-list">
          {channels.map(({ name, kind }) => (
            <li key={name} className="alerts-channel">
              <span>
                <strong>{name}</strong> <Badge>{kind}</Badge>
              </span>
              <span role="status">
                <Outcome of={test.data?.results.find(({ channel }) => channel === name)} />
              </span>
              <Button aria-label={`Test ${name}`} isBusy={test.isPending} onClick={() => test.mutate(name)}>
                Test
              </Button>
            </li>
          ))}
        </ul>
      )}
      {test.isError && <ErrorBox error={test.error} />}
    </Card>
  );
}

function Outcome({ of }: { readonly of: ChannelTest | undefined }) {
  if (of === undefined) return null;
  return of.ok ? (
    <>
      <Badge tone="good">accepted</Badge> <span className="muted">{of.status}</span>
    </>
  ) : (
    <>
      <Badge tone="bad">not accepted</Badge> {of.status} {of.error}
    </>
  );
}
