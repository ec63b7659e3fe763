import { element } from './element.js';
import { outcomeOf } from './outcomes.js';

/** @import { LiveFeed } from './live-feed.js' */
/** @import { Entry } from './page-types.js' */

/** The time between two sentences: during an attack, a screen reader would speak without a break. */
const QUIET_MS = 5000;

/**
 * Creates the hidden text by which screen readers learn of refused logins: one sentence now and then, with their number.
 *
 * @param {LiveFeed} feed
 */
export function createRefusalAnnouncer(feed) {
  const region = element('p', { class: 'only-spoken', 'aria-live': 'polite' });
  let unspoken = 0;
  let timer = 0;

  /** @param {Entry} latest */
  function speak({ event }) {
    const more = unspoken > 1 ? ` ${unspoken} problems since the last message.` : '';
    region.textContent = `${outcomeOf({ kind: 'decision', event }).label}: ${String(event.code).replaceAll('_', ' ')}.${more}`;
    unspoken = 0;
  }

  feed.addEventListener('entry', (announced) => {
    const entry = /** @type {CustomEvent<Entry>} */ (announced).detail;
    if (entry.kind !== 'decision' || !entry.isProblem || entry.order <= feed.openedAfter) return;
    unspoken += 1;
    if (timer !== 0) return;
    timer = window.setTimeout(() => {
      timer = 0;
    }, QUIET_MS);
    speak(entry);
  });
  return region;
}
