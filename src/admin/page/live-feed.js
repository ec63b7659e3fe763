import { readEventsProblem } from './api.js';
import { outcomeOf } from './outcomes.js';

/** @import { ShownCall, ShownDecision, Entry, ShownSecond } from './page-types.js' */
/** @typedef {'connecting' | 'live' | 'lost'} FeedState */

/** Entries of each kind that {@link bucketOf} tells apart, so that thousands of good calls do not push out one refused login. */
const MAX_ENTRIES = 300;
/** Seconds whose numbers are kept. */
export const MAX_NUMBERS = 300;
/** The time until the page tries again after a refusal. It doubles with each, up to the second one. */
const MIN_RETRY_MS = 2000;
const MAX_RETRY_MS = 30_000;
/** The page is drawn at most this often. */
const DRAW_INTERVAL_MS = 200;
/** A note of sampling is valid for this long. */
const SAMPLED_VALID_MS = 3000;

/**
 * The event stream of the server, and what it has sent lately. Dispatches `state` when the connection changes, `entries` when there are
 * new calls or decisions, and `numbers` each second.
 */
export class LiveFeed extends EventTarget {
  /** @type {FeedState} */
  state = 'connecting';
  /** The reason of the server for sending no events; empty if it gave none. */
  problem = '';
  /** @type {ShownSecond[]} Oldest first. */
  numbers = [];
  /** @type {Map<string, Entry[]>} Oldest first. */
  #buckets = new Map();
  /** @type {EventSource | undefined} */
  #source;
  /** @type {EventSource | undefined} Ends when {@link #source} is open. */
  #before;
  /** The order of the last event before the page was opened. */
  openedAfter = 0;
  /** The id of the server process. */
  #server = '';
  /** The order of the last event of the server processes before. */
  #orderBefore = 0;
  #lastOrder = 0;
  /** The numbers of the last events. Each server process counts from 1, and sends its last events again after each connection. */
  #lastIds = { call: 0, decision: 0, numbers: 0 };
  /** @type {{ seen: number, shown: number, at: number } | undefined} */
  #sampled;
  #isDrawPending = false;
  #retryMs = MIN_RETRY_MS;

  connect() {
    const source = new EventSource('./api/events');
    this.#before = this.#source;
    this.#source = source;
    source.addEventListener('open', () => {
      this.#closeBefore();
      this.#retryMs = MIN_RETRY_MS;
      this.#changeState('live');
    });
    source.addEventListener('error', () => this.#lose(source));
    // The server ends each stream after a while. By both, the page gets every event at least once.
    source.addEventListener('reconnect', () => this.connect());
    this.#listen(source);
  }

  #closeBefore() {
    this.#before?.close();
    this.#before = undefined;
  }

  /** @param {EventSource} source */
  #lose(source) {
    // The browser connects again by itself, except after an answer that is not an event stream.
    const isRefused = source.readyState === EventSource.CLOSED;
    this.#changeState('lost', isRefused ? this.problem : '');
    // The server has ended it, and the next one is not open yet.
    if (source !== this.#source) return source.close();
    this.#closeBefore();
    if (isRefused) void this.#explainAndRetry();
  }

  async #explainAndRetry() {
    setTimeout(() => this.connect(), this.#retryMs);
    this.#retryMs = Math.min(2 * this.#retryMs, MAX_RETRY_MS);
    const problem = await readEventsProblem();
    if (this.state === 'lost') this.#changeState('lost', problem);
  }

  /** @param {EventSource} source */
  #listen(source) {
    source.addEventListener('server', ({ data }) => this.#followServer(JSON.parse(data)));
    source.addEventListener('call', ({ data }) => this.#addCall(JSON.parse(data)));
    source.addEventListener('decision', ({ data }) => this.#addDecision(JSON.parse(data)));
    source.addEventListener('numbers', ({ data }) => this.#addNumbers(JSON.parse(data)));
    source.addEventListener('sampled', ({ data }) => {
      this.#sampled = { ...JSON.parse(data), at: performance.now() };
      this.#announceEntries();
    });
  }

  /**
   * Newest first.
   *
   * @param {(entry: Entry) => boolean} [isWanted]
   * @returns {Entry[]}
   */
  entries(isWanted = () => true) {
    const found = [...this.#buckets.values()].flatMap((bucket) => bucket.filter(isWanted));
    return found.sort((a, b) => b.order - a.order).slice(0, MAX_ENTRIES);
  }

  /** The number of events that the server saw and sent, if it does not send all of them. */
  get sampled() {
    const noted = this.#sampled;
    return noted !== undefined && performance.now() - noted.at < SAMPLED_VALID_MS ? noted : undefined;
  }

  /**
   * A server that was started again knows nothing of earlier events.
   *
   * @param {{ id: string, lastId: number }} server
   */
  #followServer({ id, lastId }) {
    if (id === this.#server) return;
    if (this.#server === '') this.openedAfter = this.#lastOrder = lastId;
    else this.#orderBefore = this.#lastOrder;
    this.#server = id;
    this.#lastIds = { call: 0, decision: 0, numbers: 0 };
    this.#buckets.clear();
    this.#announceEntries();
    this.numbers = [];
    this.dispatchEvent(new Event('numbers'));
  }

  /** @param {ShownCall} event */
  #addCall(event) {
    // A call is listed at the time when it ended, as decisions are.
    const time = event.time + event.durationMs;
    this.#add({
      kind: 'call',
      event,
      time,
      order: this.#orderOf(event),
      key: `call ${event.id} ${this.#server}`,
      searched: searchedText(event),
      isProblem: isBad('call', event),
    });
  }

  /** @param {ShownDecision} event */
  #addDecision(event) {
    const { help: _help, ...searched } = event;
    const isProblem = isBad('decision', event);
    this.#add({
      kind: 'decision',
      event,
      time: event.time,
      order: this.#orderOf(event),
      key: `decision ${event.id} ${this.#server}`,
      searched: searchedText(searched),
      isProblem,
    });
  }

  /** @param {{ id: number }} event */
  #orderOf({ id }) {
    return this.#orderBefore + id;
  }

  /** @param {Entry} entry */
  #add(entry) {
    const { kind, event, order } = entry;
    if (event.id <= this.#lastIds[kind]) return;
    this.#lastIds[kind] = event.id;
    this.#lastOrder = Math.max(this.#lastOrder, order);
    const name = bucketOf(entry);
    const bucket = this.#buckets.get(name) ?? [];
    this.#buckets.set(name, bucket);
    bucket.push(entry);
    if (bucket.length > MAX_ENTRIES) bucket.shift();
    this.dispatchEvent(new CustomEvent('entry', { detail: entry }));
    this.#announceEntries();
  }

  /** @param {ShownSecond} second */
  #addNumbers(second) {
    if (second.id <= this.#lastIds.numbers) return;
    this.#lastIds.numbers = second.id;
    // The date of the server may be set back: the seconds that it has again are replaced.
    const earlier = this.numbers.filter(({ time }) => time < second.time);
    this.numbers = [...earlier, second].slice(-MAX_NUMBERS);
    this.dispatchEvent(new Event('numbers'));
  }

  /**
   * @param {FeedState} state
   * @param {string} [problem]
   */
  #changeState(state, problem = '') {
    if (state === this.state && problem === this.problem) return;
    this.state = state;
    this.problem = problem;
    this.dispatchEvent(new Event('state'));
  }

  #announceEntries() {
    if (this.#isDrawPending) return;
    this.#isDrawPending = true;
    setTimeout(() => {
      this.#isDrawPending = false;
      this.dispatchEvent(new Event('entries'));
    }, DRAW_INTERVAL_MS);
  }
}

/** @param {Entry} entry */
function bucketOf({ kind, isProblem }) {
  return `${kind} ${isProblem}`;
}

/**
 * @param {'call' | 'decision'} kind
 * @param {{ outcome: string, code?: unknown }} event
 */
function isBad(kind, event) {
  return ['bad', 'warning'].includes(outcomeOf({ kind, event }).tone);
}

/** @param {object} event */
function searchedText(event) {
  return Object.values(event)
    .filter((value) => typeof value === 'string' || typeof value === 'number')
    .join('\n')
    .toLowerCase();
}
