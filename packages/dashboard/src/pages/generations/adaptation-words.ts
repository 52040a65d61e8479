import type { AdaptedField } from '../../api/generations.ts';

/** `size: 1000x1000 became 1008x1008, because …`. */
export function adaptationWords({ field, action, from, to, reason }: AdaptedField): string {
  const why = reason === undefined ? '' : `, because ${reason.replace(/\.$/, '')}`;
  const was = from === undefined ? '' : ` ${from}`;
  switch (action) {
    case 'kept':
      return `${field}:${was} is kept`;
    case 'mapped':
      return `${field}:${was} becomes ${to ?? 'what the model takes'}${why}`;
    case 'dropped':
      return `${field}:${was} is left out${why}`;
    case 'impossible':
      return `${field}:${was} cannot be had${why}`;
  }
}
