import { type GenerationDetail, isOver } from '../../api/generations.ts';

/** What a caller who waited for the answer has in hand. */
export interface Answer {
  readonly words: string;
  readonly hasPicture: boolean;
  readonly isThere: boolean;
}

/** Over, or answered by a clock while an attempt stays open. */
export function isAnswered(generation: GenerationDetail): boolean {
  return isOver(generation) || generation.timeline.some(({ type }) => type === 'clock-fired');
}

export function answerOf(generation: GenerationDetail): Answer {
  const { status, images = [], failure, timeline } = generation;
  const told =
    failure ?? (isOver(generation) ? undefined : timeline.find(({ type }) => type === 'clock-fired')?.failure);
  if (told) return { words: `${told.answer.status} ${told.answer.code}`, hasPicture: false, isThere: true };
  if (status === 'completed')
    return {
      words: images.length === 1 ? 'the picture' : `${images.length} pictures`,
      hasPicture: true,
      isThere: true,
    };
  return { words: isOver(generation) ? status : 'not yet', hasPicture: false, isThere: isOver(generation) };
}
