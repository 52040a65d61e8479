import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseExposition } from './exposition.ts';

const HEAD = '# HELP a_total what\n# TYPE a_total counter\n';
const HISTOGRAM = '# HELP h what\n# TYPE h histogram\n';

test('a text that is right is read as it is', () => {
  const [family] = parseExposition(`${HEAD}a_total{x="a\\"b\\\\c\\nd",y=""} 1.5e3\n`);
  assert.deepEqual(family?.samples, [{ name: 'a_total', labels: { x: 'a"b\\c\nd', y: '' }, value: 1500 }]);
  assert.equal(
    parseExposition(`${HISTOGRAM}h_bucket{le="1"} 1\nh_bucket{le="+Inf"} 2\nh_sum 3\nh_count 2\n`).length,
    1,
  );
});

test('what is wrong is said', () => {
  const wrong: readonly (readonly [string, RegExp])[] = [
    [`${HEAD}a_total 1`, /does not end/],
    [`${HEAD}${HEAD}`, /second HELP/],
    ['a_total 1\n', /no sample of/],
    ['# TYPE a_total counter\n', /no HELP/],
    [`${HEAD}b_total 1\n`, /no sample of/],
    [`${HEAD}a_total{x="1} 1\n`, /labels are wrong/],
    [`${HEAD}a_total{x="1",x="2"} 1\n`, /labels are wrong/],
    [`${HEAD}a_total{x="1"} 1\na_total{x="1"} 2\n`, /twice/],
    [`${HEAD}a_total one\n`, /no number/],
    [`${HEAD}a_total -1\n`, /below 0/],
    [`${HISTOGRAM}h_bucket{le="1"} 2\nh_bucket{le="+Inf"} 1\nh_sum 3\nh_count 1\n`, /add up/],
    [`${HISTOGRAM}h_bucket{le="1"} 1\nh_sum 3\nh_count 1\n`, /add up/],
    [`${HISTOGRAM}h_bucket{le="+Inf"} 1\nh_sum 3\nh_count 2\n`, /add up/],
  ];
  for (const [text, told] of wrong) assert.throws(() => parseExposition(text), told, text);
});
