import type { IncomingHttpHeaders } from 'node:http';
import type { JsonValue } from '@onetake/core';
import { type Controls, readControls } from './controls.ts';

/** Controls of pictures, with the values that ask for what holds for chat anyway. */
const FOR_PICTURES: Readonly<Record<string, readonly string[]>> = {
  attach: ['off'],
  cache: ['off'],
  degrade: ['off'],
  suspect: ['accept'],
  'webhook-url': ['off'],
  'webhook-events': [],
};

/** Reads what a request of chat asks of Onetake; what can only be had for pictures is refused, like a name nobody knows. */
export function readChatControls(
  headers: IncomingHttpHeaders,
  body: JsonValue | undefined,
  { fromBrowser }: { readonly fromBrowser: boolean },
): Controls {
  return readControls(headers, body, {
    fromBrowser,
    onDisconnect: 'cancel',
    lacks: (name, value) => Object.hasOwn(FOR_PICTURES, name) && FOR_PICTURES[name]?.includes(value) === false,
  });
}
