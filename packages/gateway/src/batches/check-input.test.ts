import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { checkInput, MAX_LINES } from './check-input.ts';
import { ENDPOINT, requestLine } from './testing/world.ts';

const directory = mkdtempSync(join(tmpdir(), 'onetake-input-'));
after(() => rmSync(directory, { recursive: true, force: true }));

function check(lines: readonly (object | string)[]) {
  const path = join(directory, 'input');
  writeFileSync(path, lines.map((one) => (typeof one === 'string' ? one : JSON.stringify(one))).join('\n'));
  return checkInput(path, ENDPOINT);
}

test('each rule of a line has a fault of its own that names the line', async () => {
  const good = requestLine('a');
  const wrong: readonly (readonly [object | string, string])[] = [
    ['{"custom_id": ', 'invalid_json_line'],
    ['[]', 'invalid_json_line'],
    [{ ...good, custom_id: '' }, 'invalid_custom_id'],
    [{ ...good, custom_id: 7 }, 'invalid_custom_id'],
    [{ ...good, custom_id: 'x'.repeat(513) }, 'invalid_custom_id'],
    [{ ...good, method: 'PUT' }, 'invalid_method'],
    [{ ...good, url: '/v1/images/edits' }, 'invalid_url'],
    [{ ...good, body: [] }, 'invalid_body'],
    [{ ...good, body: { prompt: 'x'.repeat(1024 * 1024) } }, 'line_too_long'],
    [good, 'duplicate_custom_id'],
  ];
  const { total, faults } = await check([good, ...wrong.map(([line]) => line)]);
  assert.equal(total, wrong.length + 1);
  assert.deepEqual(
    faults.map(({ code, line }) => [line, code]),
    wrong.map(([, code], index) => [index + 2, code]),
  );
  for (const { message, line } of faults) assert.match(message, new RegExp(`^line ${line}: .+; |no other$`));
});

test('an empty file, one with too many lines, and one with countless faults are bounded', async () => {
  assert.deepEqual(
    (await check([])).faults.map(({ code }) => code),
    ['empty_file'],
  );
  const many = Array.from({ length: MAX_LINES + 1 }, (_, index) => requestLine(String(index)));
  assert.deepEqual(
    (await check(many)).faults.map(({ code }) => code),
    ['too_many_requests'],
  );
  assert.deepEqual(await check(many.slice(1)), { total: MAX_LINES, faults: [] });
  assert.equal((await check(Array.from({ length: 1_000 }, () => 'x'))).faults.length, 50);
});
