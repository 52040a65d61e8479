import { Page } from '../../ui/layout.tsx';

export default function Alerts() {
  return <Page title="Alerts">…</Page>;
}
