import type { BillCount } from '../../api/sandbox.ts';
import { usd } from '../../ui/format.ts';
import type { StockRun } from './stock-sdk.ts';

interface Ended {
  readonly stock: StockRun;
  readonly bill: BillCount;
  readonly price: number | undefined;
  readonly hasPicture: boolean;
}

/** What Onetake changed about it, also where that is nothing. */
export function verdictWords({ stock, bill, price, hasPicture }: Ended): string {
  const fewer = stock.charged - bill.charged;
  const amount = price === undefined ? pictures(fewer) : usd(Math.round(fewer * price * 1e6) / 1e6);
  const unnoticed = !hasPicture && stock.tries.at(-1)?.ending === 'taken';
  if (fewer > 0)
    return `${amount} less on the bill${hasPicture && !stock.hasPicture ? ', and the picture besides' : ''}.`;
  if (hasPicture && !stock.hasPicture) return 'The picture, where the SDK has none.';
  if (unnoticed) return 'The same bill. The SDK calls it a success; here it is an error that says what is wrong.';
  const calmer = stock.tries.length - bill.requests;
  if (calmer > 0) return `The same bill, with ${calmer} ${calmer === 1 ? 'request' : 'requests'} fewer.`;
  if (fewer < 0) return `${pictures(-fewer)} more on the bill: that is what this payment allows.`;
  return 'The same bill: here is nothing to save.';
}

function pictures(count: number): string {
  return `${count} ${count === 1 ? 'picture' : 'pictures'}`;
}
