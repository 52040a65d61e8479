import { Component, type ReactNode } from 'react';
import { ErrorBox } from './states.tsx';

interface State {
  readonly error?: unknown;
}

/** A fault of one page leaves the menu and the others. A class, because React catches in no function. */
export class ErrorBoundary extends Component<{ readonly children: ReactNode }, State> {
  override readonly state: State = {};

  static getDerivedStateFromError(error: unknown): State {
    return { error };
  }

  override render() {
    if (!('error' in this.state)) return this.props.children;
    return <ErrorBox error={this.state.error} onRetry={() => location.reload()} />;
  }
}
