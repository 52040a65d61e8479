import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { BudgetUse } from '../api/now.ts';
import { budgetBound, budgetShare, budgetText } from './budget-words.ts';

const budget: BudgetUse = {
  ...{ key: 'shop', name: 'budget day 2026-11-22', most: 5, spent: 1.2, held: 0.04, until: 7 },
  unit: 'usd',
};

test('a budget in words, for a day or for ever, of money or of images', () => {
  assert.equal(budgetText(budget), '$1.20 of $5.00 a day, $0.04 held');
  const images: BudgetUse = { ...budget, unit: 'images', name: 'images total', most: 1, spent: 0, held: 0 };
  assert.equal(budgetText(images), '0 images of 1 image in all');
  assert.equal(budgetBound({ ...budget, name: 'budget hour 2026-11-22T02' }), '$5.00 an hour');
});

test('what is held is gone too, and a budget of nothing is used up', () => {
  assert.equal(budgetShare(budget).toFixed(3), '0.248');
  assert.equal(budgetShare({ ...budget, most: 0 }), 1);
});
