import { element } from './element.js';

const VISIBLE_MS = 8000;

const line = element('div', { class: 'toast', role: 'status', hidden: true });
let timer = 0;

/** The element that shows the results of the operator's actions, in every view. */
export const statusLine = line;

/**
 * Shows a message for some seconds. Screen readers speak it.
 *
 * @param {string} message
 * @param {'good' | 'bad'} [tone]
 */
export function notify(message, tone = 'good') {
  clearTimeout(timer);
  line.hidden = false;
  line.className = `toast ${tone}`;
  line.textContent = message;
  timer = window.setTimeout(() => {
    line.hidden = true;
    line.textContent = '';
  }, VISIBLE_MS);
}
