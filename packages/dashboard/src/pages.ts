import { type ComponentType, lazy } from 'react';

export interface PageEntry {
  /** Its name in the address. */
  readonly id: string;
  readonly title: string;
  /** Loaded when it is first shown. */
  readonly Component: ComponentType;
  /** A press of `g` and then this key goes there. */
  readonly key: string;
  /** What only makes sense with a sandbox. */
  readonly needsSandbox?: true;
  /** The page it belongs to; it has no entry of its own in the menu. */
  readonly under?: string;
}

/** In the order of the menu. */
export const PAGES: readonly PageEntry[] = [
  { id: 'now', title: 'Now', key: 'n', Component: lazy(() => import('./pages/now/now.tsx')) },
  {
    ...{ id: 'generations', title: 'Generations', key: 'g' },
    Component: lazy(() => import('./pages/generations/generations.tsx')),
  },
  { id: 'gallery', title: 'Gallery', key: 'a', Component: lazy(() => import('./pages/gallery/gallery.tsx')) },
  {
    ...{ id: 'compare', title: 'Compare', key: 'm', under: 'gallery' },
    Component: lazy(() => import('./pages/gallery/compare.tsx')),
  },
  {
    ...{ id: 'playground', title: 'Playground', key: 'p' },
    Component: lazy(() => import('./pages/playground/playground.tsx')),
  },
  { id: 'batches', title: 'Batches', key: 'b', Component: lazy(() => import('./pages/batches/batches.tsx')) },
  { id: 'costs', title: 'Costs', key: 'c', Component: lazy(() => import('./pages/costs/costs.tsx')) },
  { id: 'keys', title: 'Keys', key: 'k', Component: lazy(() => import('./pages/keys/keys.tsx')) },
  { id: 'failures', title: 'Failures', key: 'f', Component: lazy(() => import('./pages/failures/failures.tsx')) },
  { id: 'alerts', title: 'Alerts', key: 'l', Component: lazy(() => import('./pages/alerts/alerts.tsx')) },
  { id: 'doctor', title: 'Doctor', key: 'd', Component: lazy(() => import('./pages/doctor/doctor.tsx')) },
  {
    ...{ id: 'sandbox', title: 'Sandbox', key: 's', needsSandbox: true },
    Component: lazy(() => import('./pages/sandbox/sandbox.tsx')),
  },
];
