import { setTimeout as wait } from 'node:timers/promises';
import { LRUCache } from 'lru-cache';
import { atMost } from '../../core/at-most.js';
import { shareValue } from '../../core/shared-state.js';
import type { ResolvedAuth } from '../../policy/resolve-auth.js';
import { createGuardedStore, type GuardedStore } from '../../store/guarded-store.js';
import type { Awaitable } from '../../store/store.js';
import type { OAuthProxySeal, SealedRefresh } from '../sealed-contents.js';
import { createRecentAnswers } from './recent-answers.js';

/** A refresh token: a login, and how often its tokens were refreshed. */
export type Refresh = Pick<SealedRefresh, 'login' | 'generation' | 'issuedAt' | 'endsAt'>;

/** The answer that a refresh token got. `'spent'` if it was used too long ago, `'forgotten'` if its login is no longer known. */
type EarlierUse = { readonly answer: string } | 'spent' | 'forgotten';

/** Remembers which refresh tokens were used, and for a while the answers that they got. */
export interface SpentTokens {
  /** Undefined if the token was not used. */
  find(refresh: Refresh): Awaitable<EarlierUse | undefined>;
  /** Notes that a token was used. Returns the answer that counts: of two uses at once, one is first. */
  spend(refresh: Refresh, answer: string): Awaitable<string>;
  /** Waits for the answer that another replica may be about to store. Undefined if there is none. */
  findSoon(refresh: Refresh): Awaitable<string | undefined>;
}

/** The use of the store, for the log. */
export const REFRESHING = { who: 'OAuth proxy', meanwhile: 'tokens are not refreshed' };

/** A client may refresh twice at once, or again after it lost an answer. */
const GRACE_SECONDS = 60;
const GRACE_MS = GRACE_SECONDS * 1_000;

const MAX_LOOKS = 5;
const LOOK_EVERY_MS = 200;

const MAX_LOGINS = 100_000;

/** Without a store, a token can be used once in each process. */
export function createSpentTokens(
  seal: OAuthProxySeal,
  { store, logger }: Pick<ResolvedAuth, 'store' | 'logger'>,
): SpentTokens {
  if (store === undefined) return createOwnMemory();
  return createSharedMemory(createGuardedStore(store, { ...REFRESHING, logger }), seal);
}

type LastUse = Pick<Refresh, 'generation' | 'issuedAt'>;

/** It does not belong to a policy, since a reload makes another one. */
const { logins, forgotten, answers } = shareValue('last refreshes of logins', () => {
  /** The latest `issuedAt` in the logins that were dropped. Another token that was issued up to then may have been used, so it is refused. */
  const forgotten = { issuedUntil: Number.NEGATIVE_INFINITY };
  const dispose = ({ issuedAt }: LastUse, _login: string, reason: string) => {
    if (reason === 'evict') forgotten.issuedUntil = Math.max(forgotten.issuedUntil, issuedAt);
  };
  const logins = new LRUCache<string, LastUse>({ ...atMost(MAX_LOGINS), dispose });
  return { logins, forgotten, answers: createRecentAnswers(GRACE_MS) };
});

/** Remembers the last use of each login, however often its tokens are refreshed. A token that may have been used is refused. */
function createOwnMemory(): SpentTokens {
  return {
    find({ login, generation, issuedAt }) {
      const last = logins.get(login);
      if (last === undefined && issuedAt <= forgotten.issuedUntil) return 'forgotten';
      // Tokens with a lower generation were used before.
      if (last === undefined || generation > last.generation) return undefined;
      return useOf(answers.find(login, generation));
    },
    spend({ login, generation, issuedAt }, answer) {
      logins.set(login, { generation, issuedAt });
      answers.add(login, generation, answer);
      return answer;
    },
    // In this process, two uses at once share one refresh.
    findSoon: () => undefined,
  };
}

function useOf(answer: string | undefined): EarlierUse {
  return answer === undefined ? 'spent' : { answer };
}

/** The answers in the store are encrypted. */
function createSharedMemory(store: GuardedStore, seal: OAuthProxySeal): SpentTokens {
  const { isSpent, noteSpent } = createSpentNotes(store);
  const keyOf = ({ login, generation }: Refresh) => `refresh answer ${login} ${generation}`;
  const answerTo = async (refresh: Refresh) => {
    const key = keyOf(refresh);
    const opened = seal.open('issued_answer', await store.get(key));
    return opened?.of === key ? opened.answer : undefined;
  };
  /** The store may have failed after it took the answer. */
  const knownAnswer = async (refresh: Refresh) => {
    const answer = await answerTo(refresh);
    if (answer !== undefined) await noteSpent(refresh);
    return answer;
  };
  return {
    async find(refresh) {
      const answer = await knownAnswer(refresh);
      if (answer !== undefined) return { answer };
      if (!(await isSpent(refresh))) return undefined;
      // Another replica may have written both since the first look.
      return useOf(await answerTo(refresh));
    },
    async spend(refresh, answer) {
      const key = keyOf(refresh);
      const sealed = seal.close('issued_answer', { of: key, answer }, GRACE_SECONDS);
      const isFirst = await store.add(key, sealed, GRACE_MS);
      const first = isFirst ? answer : ((await answerTo(refresh)) ?? answer);
      await noteSpent(refresh);
      return first;
    },
    async findSoon(refresh) {
      for (let look = 0; look < MAX_LOOKS; look++) {
        const answer = await knownAnswer(refresh);
        if (answer !== undefined) return answer;
        await wait(LOOK_EVERY_MS);
      }
      return undefined;
    },
  };
}

/**
 * Each login has one key with the generation that was used last: the tokens before it were used too. A token can also have a key of its own,
 * if the store cannot raise a number, or an earlier version of this package wrote it.
 */
function createSpentNotes(store: GuardedStore) {
  /** True once `get()` has returned what `raise()` stored. */
  let canRaise = false;
  const lastKey = ({ login }: Refresh) => `refresh last ${login}`;
  const ownKey = ({ login, generation }: Refresh) => `refresh spent ${login} ${generation}`;
  const isUpToLast = async (refresh: Refresh) => {
    const last = await store.get(lastKey(refresh));
    return last !== undefined && refresh.generation <= Number(last);
  };
  return {
    isSpent: async (refresh: Refresh) =>
      (await isUpToLast(refresh)) || (await store.get(ownKey(refresh))) !== undefined,
    async noteSpent(refresh: Refresh): Promise<void> {
      const keepMs = Math.max(refresh.endsAt * 1_000 - Date.now(), GRACE_MS);
      await store.raise?.(lastKey(refresh), refresh.generation, keepMs);
      // A store that wraps another one may have a get() of its own, and the other's raise().
      canRaise ||= store.raise !== undefined && (await isUpToLast(refresh));
      if (!canRaise) await store.add(ownKey(refresh), '1', keepMs);
    },
  };
}
