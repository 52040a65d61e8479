import { Page } from '../../ui/layout.tsx';

export default function Generations() {
  return <Page title="Generations">…</Page>;
}
