import { Page } from '../../ui/layout.tsx';

export default function Batches() {
  return <Page title="Batches">…</Page>;
}
