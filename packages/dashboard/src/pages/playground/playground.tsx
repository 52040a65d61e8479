import { Page } from '../../ui/layout.tsx';

export default function Playground() {
  return <Page title="Playground">…</Page>;
}
