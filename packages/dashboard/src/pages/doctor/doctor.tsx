import { Page } from '../../ui/layout.tsx';

export default function Doctor() {
  return <Page title="Doctor">…</Page>;
}
