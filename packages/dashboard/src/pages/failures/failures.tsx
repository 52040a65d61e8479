import { Page } from '../../ui/layout.tsx';

export default function Failures() {
  return <Page title="Failures">…</Page>;
}
