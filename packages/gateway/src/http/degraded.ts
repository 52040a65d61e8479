import { adviceFor, billed, type Failure, httpAnswer, type JsonObject } from '@onetake/core';
import type { Substitute } from '../degrade/degrading.ts';

/** `onetake.degraded`: that these pictures are no result, what they are instead, and the failure they stand in for. */
export function degradedFields({ kind, generation, createdAt }: Substitute, failure: Failure): JsonObject {
  const { status, type, code } = httpAnswer(failure);
  return {
    kind,
    ...(generation !== undefined && { generation }),
    ...(createdAt !== undefined && { created: Math.floor(createdAt / 1000) }),
    failure: {
      ...{ status, message: failure.message, type, code, kind: failure.kind, certainty: failure.certainty },
      billed: billed(failure),
      advice: adviceFor(failure),
    },
  };
}

/** `placeholder (timeout)`; the answer is no store's to keep. */
export function degradedHeaders({ kind }: Substitute, failure: Failure): Record<string, string> {
  return { 'x-onetake-degraded': `${kind} (${failure.kind})`, 'cache-control': 'no-store' };
}
