import { ApiError } from './api.js';
import { confirmDialog } from './confirm-dialog.js';
import { notify } from './status-line.js';

/** @import { Child } from './element.js' */

/**
 * @typedef {object} Action
 * @property {string} question
 * @property {readonly Child[]} explanation
 * @property {string} button
 * @property {() => Promise<string>} run Resolves to the message for the operator.
 */

/**
 * Runs an action after the operator has confirmed it, and shows the result. Resolves to true if it succeeded.
 *
 * @param {Action} action
 * @returns {Promise<boolean>}
 */
export async function runConfirmed({ question, explanation, button, run }) {
  if (!(await confirmDialog(question, explanation, button))) return false;
  try {
    notify(await run());
    // The row of the button may be gone, and the focus with it.
    if (document.activeElement === document.body) document.querySelector('h1')?.focus();
    return true;
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    notify(`${question.replace(/\?$/, '')}: failed. ${error.message}`, 'bad');
    return false;
  }
}
