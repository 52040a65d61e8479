import { Page } from '../../ui/layout.tsx';

export default function Now() {
  return <Page title="Now">…</Page>;
}
