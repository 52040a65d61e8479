import { Page } from '../../ui/layout.tsx';

export default function Keys() {
  return <Page title="Keys">…</Page>;
}
