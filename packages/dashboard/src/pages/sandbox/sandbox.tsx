import { Page } from '../../ui/layout.tsx';

export default function Sandbox() {
  return <Page title="Sandbox">…</Page>;
}
