/** Jobs that have not ended, each with its place in the concurrency. */
export interface Watch {
  readonly size: number;
  /** `endsAt` in milliseconds since the epoch, Infinity for never; `leave` is called when it ends. */
  follow(id: string, endsAt: number, leave: () => void): void;
  end(id: string): void;
  /** Ends what is due, however late its timer is. */
  endDue(now: number): void;
  /** Leaves all places without an end. */
  clear(): void;
}

interface Followed {
  readonly endsAt: number;
  readonly leave: () => void;
  timer: NodeJS.Timeout | undefined;
}

/** Calls `ended` once for each job when its time has come, by the clock that says so in its answers. */
export function createWatch(ended: (id: string) => void): Watch {
  const followed = new Map<string, Followed>();
  /** No later than the next end, so that many open jobs need not be gone through at every submit. */
  let nextEndAt = Number.POSITIVE_INFINITY;

  const end = (id: string) => {
    const one = followed.get(id);
    if (!one) return;
    clearTimeout(one.timer);
    followed.delete(id);
    one.leave();
    ended(id);
  };
  const arm = (id: string, one: Followed) => {
    if (one.endsAt === Number.POSITIVE_INFINITY) return;
    const due = () => (Date.now() < one.endsAt ? arm(id, one) : end(id));
    one.timer = setTimeout(due, Math.ceil(one.endsAt - Date.now())).unref();
  };
  return {
    get size() {
      return followed.size;
    },
    follow(id, endsAt, leave) {
      const one: Followed = { endsAt, leave, timer: undefined };
      followed.set(id, one);
      nextEndAt = Math.min(nextEndAt, endsAt);
      arm(id, one);
    },
    end,
    endDue(now) {
      if (now < nextEndAt) return;
      nextEndAt = Number.POSITIVE_INFINITY;
      for (const [id, { endsAt }] of followed) {
        if (endsAt <= now) end(id);
        else nextEndAt = Math.min(nextEndAt, endsAt);
      }
    },
    clear() {
      for (const { timer, leave } of followed.values()) {
        clearTimeout(timer);
        leave();
      }
      followed.clear();
    },
  };
}
