import { usePlace } from '../../router.ts';
import { Detail } from './detail.tsx';
import { List } from './list.tsx';
import './generations.css';

export default function Generations() {
  const { rest } = usePlace();
  return rest === '' ? <List /> : <Detail key={rest} id={rest} />;
}
