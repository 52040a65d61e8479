import { Page } from '../../ui/layout.tsx';

export default function Gallery() {
  return <Page title="Gallery">…</Page>;
}
