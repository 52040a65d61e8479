import type { ServerResponse } from 'node:http';

/** Waits `ms`; resolves to false at once when the caller goes away before. */
export function wait(ms: number, response: ServerResponse): Promise<boolean> {
  if (response.closed) return Promise.resolve(false);
  if (ms <= 0) return Promise.resolve(true);
  return new Promise((resolve) => {
    const finish = (waited: boolean) => {
      clearTimeout(timer);
      response.off('close', left);
      resolve(waited);
    };
    const left = () => finish(false);
    const timer = setTimeout(() => finish(true), ms);
    response.once('close', left);
  });
}
