import { element } from './element.js';

/**
 * Builds the section of docs/errors.md about a code. It reads the Markdown that the page uses: list items that begin with a bold term,
 * and code.
 *
 * @param {{ title: string, text: string }} help
 */
export function helpElement({ title, text }) {
  const items = text
    .trim()
    .split(/\n\s*(?=- )|\n{2,}/)
    .map((block) => block.replace(/\s+/g, ' ').trim());
  return element(
    'section',
    { class: 'help' },
    element('h3', {}, ...inlineNodes(title)),
    ...items.filter((item) => item !== '').map((item) => element('p', {}, ...inlineNodes(item.replace(/^- /, '')))),
  );
}

/**
 * @param {string} text
 * @returns {(Node | string)[]}
 */
function inlineNodes(text) {
  return text.split(/(`[^`]+`|\*\*[^*]+\*\*)/).map((part) => {
    if (part.startsWith('`')) return element('code', {}, part.slice(1, -1));
    return part.startsWith('**')
      ? element('strong', {}, part.slice(2, -2))
      : part.replace(/\[([^\]]+)\]\([^)]*\)/g, '$1');
  });
}
