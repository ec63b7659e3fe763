import { element } from './element.js';

/** @import { KnownState } from './known-state.js' */
/** @import { Credential, RouteState } from './page-types.js' */

/**
 * The choice of the token for calls from this page. A pasted token is only in its field. It is not stored and not in an address, and
 * it is removed when the page is left.
 */
export class CredentialField {
  element;
  #state;
  #token = element('input', {
    type: 'password',
    id: 'token',
    autocomplete: 'off',
    spellcheck: 'false',
    'data-1p-ignore': true,
  });
  #choices = element('div', { class: 'choices', role: 'radiogroup', 'aria-label': 'Token' });
  #pasted = element(
    'div',
    { class: 'field' },
    element('label', { for: 'token' }, 'Access token or API key'),
    this.#token,
    element('p', { class: 'aside' }, 'It is sent with your calls from this page, and not stored.'),
  );

  /** @param {KnownState} state */
  constructor(state) {
    this.#state = state;
    this.element = element('fieldset', {}, element('legend', {}, 'Call as'), this.#choices, this.#pasted);
    this.#choices.addEventListener('change', () => this.#showField());
    addEventListener('pagehide', () => this.clear());
  }

  /** @param {RouteState | undefined} route */
  show(route) {
    const canHaveToken = this.#state.can('developmentToken');
    const choices = [
      ...(route?.authenticates === false ? [['none', 'Anonymous caller']] : []),
      ...(canHaveToken ? [['development', 'User of the development issuer']] : []),
      ['pasted', 'A token that I paste'],
    ];
    const names = choices.map(([value]) => value).join(' ');
    if (this.#choices.dataset.names !== names) this.#build(choices);
    this.#choices.dataset.names = names;
    this.#showField();
  }

  /** @returns {Credential} */
  read() {
    const chosen = this.#chosen();
    if (chosen === 'development') return { developmentToken: true };
    const token = this.#token.value.trim().replace(/^Bearer\s+/i, '');
    return chosen === 'pasted' && token !== '' ? { token } : {};
  }

  clear() {
    this.#token.value = '';
  }

  /** @param {readonly (readonly string[])[]} choices */
  #build(choices) {
    const radios = choices.map(([value = '', label], index) =>
      element(
        'label',
        {},
        element('input', { type: 'radio', name: 'credential', value, checked: index === 0 }),
        ` ${label}`,
      ),
    );
    this.#choices.replaceChildren(...radios);
  }

  #chosen() {
    return this.#choices.querySelector('input:checked')?.getAttribute('value') ?? 'pasted';
  }

  #showField() {
    this.#pasted.hidden = this.#chosen() !== 'pasted';
  }
}
