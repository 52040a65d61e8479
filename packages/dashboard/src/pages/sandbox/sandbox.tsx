import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { clearBill, useBill, useFaults } from '../../api/sandbox.ts';
import { Button } from '../../ui/button.tsx';
import { Page } from '../../ui/layout.tsx';
import { ErrorBox, Queried } from '../../ui/states.tsx';
import { FallbackExample } from './fallback-example.tsx';
import { FaultChoice } from './fault-choice.tsx';
import { PastRuns } from './past-runs.tsx';
import { RunView } from './run-view.tsx';
import { useRuns } from './use-runs.ts';
import { Whole } from './whole-bill.tsx';
import './sandbox.css';

export default function Sandbox() {
  const faults = useFaults();
  const bill = useBill(5_000);
  const runs = useRuns();
  const queries = useQueryClient();
  const clear = useMutation({
    mutationFn: clearBill,
    onSuccess: () => queries.invalidateQueries({ queryKey: ['sandbox', 'bill'] }),
  });
  const [script, setScript] = useState('reset-after-accept');
  return (
    <Page
      title="Sandbox"
      actions={
        <Button look="quiet" isBusy={clear.isPending} onClick={() => clear.mutate()}>
          Tear up the bill
        </Button>
      }
    >
      <p className="sandbox-intro">
        Choose what goes wrong, and watch what happens to the request and to the bill. The provider is an imitation on
        this machine: it draws real pictures, fails on command, and writes down what it would charge. No money is spent.
      </p>
      {clear.isError && <ErrorBox error={clear.error} />}
      <Queried query={faults} what="the faults">
        {(known) => (
          <>
            <div className="sandbox-stage">
              <FaultChoice faults={known} script={script} choose={setScript} runs={runs} />
              <RunView faults={known} script={script} runs={runs} />
            </div>
            <PastRuns past={runs.past} faults={known} />
            <Queried query={bill} what="the bill">
              {(data) => <Whole bill={data} before={runs.current?.before} />}
            </Queried>
            <FallbackExample runs={runs} />
          </>
        )}
      </Queried>
    </Page>
  );
}
