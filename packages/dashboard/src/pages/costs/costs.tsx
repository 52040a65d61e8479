import { Page } from '../../ui/layout.tsx';

export default function Costs() {
  return <Page title="Costs">…</Page>;
}
