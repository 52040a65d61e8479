import type { Fault } from './fault.ts';

const SENTENCE = 'I am sorry, I cannot show you this picture, but I can describe it: it is beautiful.';

const page = (status: number, title: string) =>
  `<html>\r\n<head><title>${title}</title></head>\r\n<body>\r\n<center><h1>${status === 200 ? title : `${status} ${title}`}</h1></center>\r\n<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n`;

/** Faults in which the work is done: what is wrong is the time, the connection or the answer. */
export const WORKING_FAULTS: readonly Fault[] = [
  { name: 'ok', sentence: 'Answers at once with real pictures.', charges: true, act: { kind: 'pictures' } },
  {
    name: 'slow',
    sentence: 'Answers with real pictures after S seconds; the charge is written at the start.',
    argument: { unit: 'seconds', required: true, maximum: 3600, example: 4 },
    charges: true,
    act: { kind: 'pictures', waits: true },
  },
  {
    name: 'big',
    sentence: 'Answers with a valid PNG of about MB million bytes.',
    argument: { unit: 'megabytes', required: true, maximum: 256, example: 20 },
    charges: true,
    act: { kind: 'pictures', drawing: 'big' },
  },
  {
    name: 'reset-after-accept',
    sentence: 'Reads the whole request, does the work and resets the connection before any byte of the answer.',
    charges: true,
    act: { kind: 'pictures', connection: { at: 'before', how: 'reset' } },
  },
  {
    name: 'reset-mid-body',
    sentence: 'Sends the headers and half of the body, then resets the connection.',
    charges: true,
    act: { kind: 'pictures', connection: { at: 'middle', how: 'reset' } },
  },
  {
    name: 'hang-after-accept',
    sentence: 'Reads the whole request, does the work and never answers.',
    charges: true,
    act: { kind: 'pictures', connection: { at: 'before', how: 'silence' } },
  },
  {
    name: 'stall-mid-body',
    sentence: 'Sends the headers and half of the body, then nothing more.',
    charges: true,
    act: { kind: 'pictures', connection: { at: 'middle', how: 'silence' } },
  },
  {
    name: '502-html',
    sentence: 'A proxy answers 502 with a page of HTML although the work was done.',
    charges: true,
    act: { kind: 'page', status: 502, html: page(502, 'Bad Gateway') },
  },
  {
    name: '504',
    sentence: 'A proxy answers 504 with a page of HTML although the work was done.',
    charges: true,
    act: { kind: 'page', status: 504, html: page(504, 'Gateway Time-out') },
  },
  {
    name: 'empty',
    sentence: 'Answers 200 with an empty list.',
    charges: true,
    act: { kind: 'pictures', list: 'empty' },
  },
  {
    name: 'no-data',
    sentence: 'Answers 200 without a list.',
    charges: true,
    act: { kind: 'pictures', list: 'absent' },
  },
  {
    name: 'zero',
    sentence: 'Answers 200 with pictures of zero bytes.',
    charges: true,
    act: { kind: 'pictures', spoil: () => Buffer.alloc(0) },
  },
  {
    name: 'text',
    sentence: 'Answers 200 with a plain sentence where the picture should be.',
    charges: true,
    act: { kind: 'pictures', spoil: () => Buffer.from(SENTENCE) },
  },
  {
    name: 'html',
    sentence: 'Answers 200 with a page of HTML instead of JSON.',
    charges: true,
    act: { kind: 'page', status: 200, html: page(200, 'Welcome to nginx!') },
  },
  {
    name: 'truncated',
    sentence: 'Answers 200 with pictures cut off at two thirds of their bytes.',
    charges: true,
    act: { kind: 'pictures', spoil: (bytes) => bytes.subarray(0, Math.floor((bytes.length * 2) / 3)) },
  },
  {
    name: 'truncated-json',
    sentence: 'Answers 200 with JSON that ends in the middle, although its content-length is right.',
    charges: true,
    act: { kind: 'pictures', cut: true },
  },
  {
    name: 'jpeg-as-png',
    sentence: 'Answers with JPEG bytes although another format was asked for (PNG bytes when it was JPEG).',
    charges: true,
    act: { kind: 'pictures', drawing: 'other-format' },
  },
  {
    name: 'black',
    sentence: 'Answers with pictures that are uniformly black.',
    charges: true,
    act: { kind: 'pictures', drawing: 'black' },
  },
  {
    name: 'wrong-size',
    sentence: 'Answers with pictures of another size than asked.',
    charges: true,
    act: { kind: 'pictures', drawing: 'other-size' },
  },
  {
    name: 'partial',
    sentence: 'Answers with one picture fewer than asked for, and charges as many.',
    charges: true,
    act: { kind: 'pictures', fewer: true },
  },
  {
    name: 'nsfw-flag',
    sentence: 'Delivers pictures that are flagged as unsafe, where the protocol has such a flag.',
    charges: true,
    act: { kind: 'pictures', flagged: true },
  },
  {
    name: 'expired-url',
    sentence: 'Delivers links that have expired already: their download is refused for good.',
    charges: true,
    act: { kind: 'pictures', links: 'expired' },
  },
  {
    name: 'flaky-download',
    sentence: 'Delivers links whose first N downloads answer 503, one without a number.',
    argument: { unit: 'times', required: false, maximum: 100, example: 2 },
    charges: true,
    act: { kind: 'pictures', links: 'flaky' },
  },
];
