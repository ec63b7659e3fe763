import { element } from './element.js';

/** @import { Child } from './element.js' */

/**
 * Asks the operator before something that cannot be taken back. Resolves to true if they confirm it.
 *
 * @param {string} question
 * @param {readonly Child[]} explanation
 * @param {string} action The text of the button.
 * @returns {Promise<boolean>}
 */
export function confirmDialog(question, explanation, action) {
  const dialog = element(
    'dialog',
    { 'aria-labelledby': 'question' },
    element(
      'form',
      { method: 'dialog' },
      element('h2', { id: 'question' }, question),
      element('p', {}, ...explanation),
      element(
        'div',
        { class: 'buttons' },
        element('button', { value: 'cancel', autofocus: true }, 'Cancel'),
        element('button', { value: 'confirm', class: 'danger' }, action),
      ),
    ),
  );
  document.body.append(dialog);
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener('close', () => {
      dialog.remove();
      resolve(dialog.returnValue === 'confirm');
    });
  });
}
