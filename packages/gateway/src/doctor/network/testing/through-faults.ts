import type { Planted } from '../../testing/planted.ts';
import { answer, badly, well } from '../../testing/well-io.ts';
import type { DoctorRequest, DoctorResponse, Tried } from '../../world.ts';
import { passing } from './scripted-net.ts';

const THROUGH = { through: 'https://images.example.com' };
const LIVE = { ms: 10, answer: well(answer(200, { status: 'live' })) };
const OURS = { 'x-onetake-provider': 'sandbox', 'x-request-id': 'req_0123456789ab' };
const BODY_ARRIVED = well(answer(400, { error: { code: 'invalid_image' }, onetake: { request_id: 'r' } }, OURS));

const isStream = ({ body }: DoctorRequest) => typeof body === 'string' && body.includes('"stream":true');
const isEdit = ({ url }: DoctorRequest) => url.endsWith('/v1/images/edits');

interface Outcome {
  readonly ms: number;
  readonly answer: Tried<DoctorResponse>;
}

function whole(firstBodyMs = 15_010): Tried<DoctorResponse> {
  const text = ': keep-alive\n\nevent: image_generation.completed\ndata: {"type":"image_generation.completed"}\n\n';
  return well({ ...answer(200, text, OURS), firstBodyMs });
}

/** A path on which plain requests, streams and large bodies fare so. */
function path(plain: Outcome, stream: Outcome = { ms: 150_000, answer: whole() }, body = BODY_ARRIVED) {
  return passing((request) => {
    if (request.url.endsWith('/health/live')) return LIVE;
    if (isEdit(request)) return { ms: 900, answer: body };
    return isStream(request) ? stream : plain;
  });
}

const PASSES: Outcome = { ms: 150_000, answer: well(answer(200, { data: [] }, OURS)) };

/** The gateway's own envelope. */
function own(status: number, code: string, message: string): Tried<DoctorResponse> {
  return well(
    answer(status, { error: { code, message }, onetake: { request_id: 'r' } }, { 'x-request-id': 'req_0123456789ab' }),
  );
}

/** What stands in front of the gateway. */
export const THROUGH_FAULTS: readonly Planted[] = [
  {
    name: 'an nginx that cuts at 60 s',
    options: THROUGH,
    io: path({
      ms: 60_020,
      answer: well(
        answer(504, '<html><center><h1>504 Gateway Time-out</h1></center><hr><center>nginx</center></html>', {
          server: 'nginx',
        }),
      ),
    }),
    finds: 'through.cut',
    says: /nginx cut a request of 150 s after 60 s/,
    advice: /proxy_read_timeout.*A stream came through/,
    exit: 2,
  },
  {
    name: 'a Cloudflare that cuts at 100 s',
    options: THROUGH,
    io: path({ ms: 100_300, answer: well(answer(524, 'error code: 524', { server: 'cloudflare', 'cf-ray': '8f' })) }),
    finds: 'through.cut',
    says: /Cloudflare cut .* after 100 s/,
    advice: /Prefer: respond-async/,
    exit: 2,
  },
  {
    name: 'an AWS load balancer that cuts at 60 s',
    options: THROUGH,
    io: path({ ms: 60_010, answer: well(answer(504, '<html>504</html>', { server: 'awselb/2.0' })) }),
    finds: 'through.cut',
    says: /AWS/,
    advice: /idle_timeout/,
    exit: 2,
  },
  {
    name: 'a Heroku that cuts at 30 s',
    options: THROUGH,
    io: path({
      ms: 30_010,
      answer: well(answer(503, '<iframe src="//www.herokucdn.com/error-pages/application-error.html">')),
    }),
    finds: 'through.cut',
    says: /Heroku/,
    advice: /H12/,
    exit: 2,
  },
  {
    name: 'something that resets at 60 s without a word',
    options: THROUGH,
    io: path({ ms: 60_100, answer: badly('ECONNRESET') }),
    finds: 'through.cut',
    says: /perhaps .*nginx/,
    advice: /proxy_read_timeout/,
    exit: 2,
  },
  {
    name: 'something that cuts streams too',
    options: THROUGH,
    io: path(
      { ms: 44_000, answer: badly('ECONNRESET') },
      { ms: 44_000, answer: well(answer(200, ': keep-alive\n\n', OURS)) },
    ),
    finds: 'through.stream-cut',
    says: /ended in the middle/,
    advice: /about 44 s/,
    exit: 2,
  },
  {
    name: 'something that keeps streams back',
    options: THROUGH,
    io: path(PASSES, { ms: 150_000, answer: whole(150_000) }),
    finds: 'through.stream-buffered',
    advice: /proxy_buffering off/,
    exit: 1,
  },
  {
    name: 'an nginx that takes bodies of 1 MB',
    options: THROUGH,
    io: path(PASSES, undefined, well(answer(413, '<center>nginx/1.27</center>', { server: 'nginx' }))),
    finds: 'through.body-limit',
    says: /nginx answered 413/,
    advice: /client_max_body_size/,
    exit: 1,
  },
  {
    name: 'an nginx that gives up on a body',
    options: THROUGH,
    io: path(PASSES, undefined, well(answer(504, '<center>nginx/1.27</center>', { server: 'nginx' }))),
    finds: 'through.body-cut',
    says: /nginx answered 504/,
    advice: /a timeout of about/,
    exit: 1,
  },
  {
    name: 'a gateway that fails by itself',
    options: THROUGH,
    io: path(
      { ms: 20_000, answer: own(424, 'outcome_unknown', 'the connection was lost') },
      { ms: 20_000, answer: own(424, 'outcome_unknown', 'the connection was lost') },
    ),
    finds: 'through.own-answer',
    says: /the gateway itself answered 424 outcome_unknown/,
    advice: /not at what stands in front/,
    exit: 1,
  },
  {
    name: 'a gateway whose stream ends in an error',
    options: THROUGH,
    io: path(PASSES, {
      ms: 60_000,
      answer: well(
        answer(
          200,
          ': keep-alive\n\nevent: error\ndata: {"type":"error","error":{"code":"timeout","message":"late"}}\n\n',
          OURS,
        ),
      ),
    }),
    finds: 'through.own-answer',
    says: /answered the stream with timeout after 60 s: late/,
    advice: /onetake explain/,
    exit: 1,
  },
  {
    name: 'a gateway that wants a key',
    options: THROUGH,
    io: path(
      { ms: 20, answer: own(401, 'invalid_api_key', 'no key') },
      { ms: 20, answer: own(401, 'invalid_api_key', 'no key') },
    ),
    finds: 'through.wants-key',
    advice: /ONETAKE_API_KEY/,
    exit: 1,
  },
  {
    name: 'a way in that redirects to https',
    options: { through: 'http://images.example.com' },
    io: passing(() => ({
      ms: 5,
      answer: well(answer(301, '', { location: 'https://images.example.com/health/live' })),
    })),
    finds: 'front.redirect',
    says: /a POST arrives as a GET/,
    advice: /https:\/\/images\.example\.com and/,
    exit: 2,
  },
  {
    name: 'a public name that the gateway does not know',
    options: THROUGH,
    io: passing(() => ({
      ms: 5,
      answer: well(answer(403, { error: { code: 'forbidden_host', message: 'Host' } }, OURS)),
    })),
    finds: 'front.host-refused',
    advice: /ONETAKE_PUBLIC_URL/,
    exit: 2,
  },
  {
    name: 'a proxy that does not find the gateway',
    options: THROUGH,
    io: passing(() => ({ ms: 5, answer: well(answer(502, '<center>nginx</center>', { server: 'nginx' })) })),
    finds: 'front.no-gateway',
    says: /nginx answers 502/,
    advice: /address that the proxy forwards to/,
    exit: 2,
  },
  {
    name: 'a login page in front',
    env: { ONETAKE_PUBLIC_URL: 'https://images.example.com' },
    gateway: {},
    io: passing(() => ({ ms: 5, answer: well(answer(200, '<html>Sign in</html>', { 'content-type': 'text/html' })) })),
    finds: 'front.something-else',
    advice: /login/,
    exit: 2,
  },
];
