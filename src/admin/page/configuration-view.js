import { element } from './element.js';
import { notify } from './status-line.js';

/** @import { KnownState } from './known-state.js' */
/** @import { View } from './page-types.js' */

/**
 * @param {KnownState} state
 * @returns {View}
 */
export function createConfigurationView(state) {
  const text = element('pre', { tabindex: 0, 'aria-label': 'Configuration' });
  const lead = element('p', { class: 'lead' });
  const copy = element('button', { type: 'button', click: () => void copyText(text.textContent ?? '') }, 'Copy');
  state.addEventListener('change', () => {
    const config = state.value?.config;
    text.hidden = copy.hidden = config === undefined;
    lead.textContent =
      config === undefined
        ? 'This server has no configuration file.'
        : 'As the server has read it. Secrets are hidden.';
    if (text.textContent !== (config ?? '')) text.textContent = config ?? '';
  });
  return { title: 'Configuration', content: element('div', {}, lead, element('p', { class: 'buttons' }, copy), text) };
}

/** @param {string} text */
async function copyText(text) {
  try {
    await navigator.clipboard.writeText(text);
    notify('The configuration is copied.');
  } catch {
    // Browsers allow it only on https and loopback addresses.
    notify('The browser does not allow copying here. Select the text instead.', 'bad');
  }
}
