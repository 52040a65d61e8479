import { randomUUID } from 'node:crypto';
import { type Answer, jsonAnswer, RefusedError } from '../wire/answer.ts';
import { needText } from './fields.ts';
import { headerKey, schemeKey } from './keys.ts';
import { refuseAsOpenai } from './openai.ts';
import { chatRoute } from './openai-chat.ts';
import { answerImages } from './openai-images.ts';
import type { Protocol, ProtocolCall, ProtocolRefusal } from './protocol.ts';

const DATED = /^\d{4}-\d{2}-\d{2}(-preview)?$/u;
const JWT = /^ey[\w-]+\.[\w-]+\.[\w-]+$/u;
const CHAT = ['chat/completions', 'responses', 'embeddings'] as const;
const apiKey = headerKey('api-key');
const bearer = schemeKey('Bearer');

/**
 * Azure OpenAI: OpenAI's APIs behind `api-key` or an Entra token, by the deployment in the path with a dated
 * `api-version`, or at `/openai/v1` with the deployment as `model`. Content filters have Azure's own spellings.
 */
export const azure: Protocol = {
  name: 'azure',
  routes: [
    ...operations('/openai/deployments/:deployment', ({ params, query }) => {
      const version = query.get('api-version') ?? '';
      if (!DATED.test(version)) throw unsupported(version);
      return params.deployment ?? '';
    }),
    ...operations('/openai/v1', ({ body, query }) => {
      const version = query.get('api-version') ?? 'v1';
      if (!['v1', 'preview', 'latest'].includes(version)) throw unsupported(version);
      return needText(body.values, 'model');
    }),
    { method: 'GET', path: '/openai/v1/models', handle: () => jsonAnswer(200, { object: 'list', data: [] }) },
  ],
  // An Entra token is a JWT; a bare key after Bearer is none.
  key: (headers) => {
    const token = bearer(headers);
    return apiKey(headers) ?? (token !== undefined && JWT.test(token) ? token : undefined);
  },
  headers: () => ({ 'apim-request-id': randomUUID(), 'x-ms-region': 'Sandbox' }),
  refuse,
};

function operations(base: string, deploymentOf: (call: ProtocolCall) => string): Protocol['routes'] {
  const deployment = (call: ProtocolCall): string => {
    if (apiKey(call.headers) && bearer(call.headers)) {
      throw new RefusedError({ status: 400, message: 'Send either an api-key or an Authorization header, not both.' });
    }
    return deploymentOf(call);
  };
  // What a deployment runs is not told by its name, so the sizes of no model are checked.
  const handle = (operation: 'generate' | 'edit') => (call: ProtocolCall) =>
    answerImages(call, operation, deployment(call), undefined);
  return [
    { method: 'POST', path: `${base}/images/generations`, bills: true, handle: handle('generate') },
    { method: 'POST', path: `${base}/images/edits`, bills: true, handle: handle('edit') },
    ...CHAT.map((endpoint) => chatRoute(`${base}/${endpoint}`, endpoint, deployment)),
  ];
}

function unsupported(version: string): RefusedError {
  const message = version === '' ? 'Resource not found' : `API version '${version.slice(0, 100)}' is not supported`;
  return new RefusedError({ status: 404, message });
}

const FILTER_RESULT = {
  hate: { filtered: false, severity: 'safe' },
  self_harm: { filtered: false, severity: 'safe' },
  sexual: { filtered: false, severity: 'safe' },
  violence: { filtered: true, severity: 'medium' },
};

function refuse(refusal: ProtocolRefusal): Answer {
  const { reason, message, headers } = refusal;
  const said = (status: number, code: string, text: string) =>
    jsonAnswer(status, { error: { code, message: text } }, status === 429 ? headers : {});
  switch (reason) {
    case 'policy': {
      const text =
        "The response was filtered due to the prompt triggering Azure OpenAI's content management policy. Please modify your prompt and retry.";
      const innererror = { code: 'ResponsibleAIPolicyViolation', content_filter_result: FILTER_RESULT };
      const error = { message: text, type: null, param: 'prompt', code: 'content_filter', status: 400, innererror };
      return jsonAnswer(400, { error });
    }
    case 'policy-output':
      return said(400, 'contentFilter', 'Generated image was filtered as a result of our safety system.');
    case 'key': {
      const text =
        'Access denied due to invalid subscription key or wrong API endpoint. Make sure to provide a valid key for an active subscription and use a correct regional API endpoint for your resource.';
      return said(401, '401', text);
    }
    case 'permission': {
      const text =
        'Your resource has been temporarily blocked because we detected behavior that may violate our content policy.';
      return said(403, 'Forbidden', text);
    }
    case 'not-found':
    case 'retired':
      if (refusal.code === undefined || refusal.code === 'unknown_url') return said(404, '404', message);
      return said(404, 'DeploymentNotFound', 'The API deployment for this resource does not exist.');
    case 'rate':
    case 'concurrency': {
      const hint =
        refusal.waitMs === undefined ? '' : ` Please retry after ${Math.ceil(refusal.waitMs / 1000)} seconds.`;
      return said(429, '429', `Requests to this deployment have exceeded the call rate limit of your tier.${hint}`);
    }
    default:
      return refuseAsOpenai(refusal);
  }
}
