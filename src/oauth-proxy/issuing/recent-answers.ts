interface RecentAnswer {
  readonly generation: number;
  readonly answer: string;
  /** On the clock of `performance.now()`. */
  readonly until: number;
}

/** The number of answers that are kept for each login. */
const MAX_ANSWERS = 3;

/**
 * Creates the memory of the answers to refreshes. They contain tokens, so each is dropped when its time is over.
 *
 * @param keepMs Milliseconds for which an answer is kept.
 */
export function createRecentAnswers(keepMs: number) {
  /** By login, the one that was answered last at the end. */
  const logins = new Map<string, readonly RecentAnswer[]>();
  let isScheduled = false;

  const isOver = ({ until }: RecentAnswer) => performance.now() >= until;
  const current = (login: string) => (logins.get(login) ?? []).filter((each) => !isOver(each));
  const dropOld = () => {
    for (const [login, answers] of logins) {
      if (!answers.every(isOver)) break;
      logins.delete(login);
    }
    isScheduled = logins.size > 0;
    if (isScheduled) setTimeout(dropOld, keepMs).unref();
  };

  return {
    /** The number of logins with answers. */
    get size(): number {
      return logins.size;
    },
    find: (login: string, generation: number): string | undefined =>
      current(login).find((each) => each.generation === generation)?.answer,
    add(login: string, generation: number, answer: string): void {
      const answers = [...current(login), { generation, answer, until: performance.now() + keepMs }];
      logins.delete(login);
      logins.set(login, answers.slice(-MAX_ANSWERS));
      if (!isScheduled) setTimeout(dropOld, keepMs).unref();
      isScheduled = true;
    },
  };
}
