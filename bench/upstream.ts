/** A provider that costs as little as it can: model `png-N` answers at once with a picture of about N bytes. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { type CannedAnswers, cannedAnswers } from './canned.ts';
import { serve } from './serving.ts';

const MAX_PICTURE_BYTES = 16 * 1024 * 1024;
const MAX_REQUEST_CHARACTERS = 10_000;

const answers = new Map<number, CannedAnswers>();

function answersOf(pictureBytes: number): CannedAnswers {
  const known = answers.get(pictureBytes) ?? cannedAnswers(pictureBytes);
  answers.set(pictureBytes, known);
  return known;
}

function answer(request: IncomingMessage, response: ServerResponse): void {
  let body = '';
  request.setEncoding('latin1');
  request.on('data', (text: string) => {
    body = (body + text).slice(0, MAX_REQUEST_CHARACTERS);
  });
  request.on('end', () => {
    const pictureBytes = Number(/"png-(\d{1,9})"/.exec(body)?.[1]);
    if (!(pictureBytes <= MAX_PICTURE_BYTES)) {
      response.writeHead(404).end();
      return;
    }
    const { bytes, next } = answersOf(pictureBytes);
    const { head, rest } = next();
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': bytes });
    response.write(head, 'latin1');
    response.end(rest);
  });
}

serve(createServer(answer));
