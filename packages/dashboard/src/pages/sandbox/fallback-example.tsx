import { usePictureModels } from '../../api/models.ts';
import { Button } from '../../ui/button.tsx';
import { Code } from '../../ui/code.tsx';
import { Card } from '../../ui/layout.tsx';
import { billName } from './faults.ts';
import type { Runs } from './use-runs.ts';

const EXAMPLE = `routes:
  fails-over:
    targets: [sandbox/503-overloaded, sandbox/ok]
  pays-twice-at-most:
    targets: [sandbox/500-billed, sandbox/ok]`;

const PATIENCE_MS = 60_000;

/** A route of several targets of the sandbox: there one fails over to the next. */
export function FallbackExample({ runs }: { readonly runs: Runs }) {
  const models = usePictureModels();
  const routes = (models.data ?? []).filter(({ onetake }) => {
    const targets = onetake?.targets ?? [];
    return targets.length > 1 && targets.every((target) => /^sandbox(?:-task)?\//.test(target));
  });
  return (
    <Card title="From one target to the next">
      {routes.length > 0 ? (
        <ul className="sandbox-routes">
          {routes.map(({ id, onetake }) => (
            <li key={id}>
              <Button
                isBusy={runs.isStarting}
                onClick={() =>
                  runs.start({
                    ...{ model: id, payment: 'standard', patienceMs: PATIENCE_MS },
                    billed: (onetake?.targets ?? []).map(billName),
                    script: billName(onetake?.targets[0] ?? ''),
                  })
                }
              >
                Send to {id}
              </Button>
              <span className="mono muted">{onetake?.targets.join(' → ')}</span>
            </li>
          ))}
        </ul>
      ) : (
        <>
          <p>
            Targets are tried in the order of a route. A request names a route, not a list of targets, so this takes a
            few lines in <code>onetake.yaml</code>. After a restart the routes stand here, to be sent to.
          </p>
          <Code label="Routes for onetake.yaml" text={EXAMPLE} />
        </>
      )}
    </Card>
  );
}
