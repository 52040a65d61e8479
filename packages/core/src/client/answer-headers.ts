import { splitTarget } from '../model-names.ts';

/** Who answers, as headers; what they cannot hold is written as in a URL. */
export function answeredBy(target: string): Record<string, string> {
  const { provider, model } = splitTarget(target.toWellFormed());
  return { 'x-onetake-provider': encodeURI(provider), 'x-onetake-model': encodeURI(model) };
}

/** The provider's own id of the exchange, where it is one that a header can hold. */
export function requestIdHeader(requestId: string | undefined): Record<string, string> {
  return requestId !== undefined && /^[\x20-\x7e]+$/.test(requestId) ? { 'x-request-id': requestId } : {};
}
