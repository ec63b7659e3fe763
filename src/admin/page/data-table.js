import { element, setChildren } from './element.js';
import { KeyedList } from './keyed-list.js';

/** @import { Child } from './element.js' */

/**
 * @template Item
 * @typedef {object} Column
 * @property {string} label
 * @property {(item: Item) => readonly Child[]} cell
 * @property {boolean} [isKept] Not drawn again when the item changes, so that its buttons keep the focus.
 */

/**
 * A table that is a list of cards on a narrow screen. The roles keep it a table for screen readers there.
 *
 * @template Item
 */
export class DataTable {
  element;
  #rows;
  #empty;

  /**
   * @param {string} name
   * @param {readonly Column<Item>[]} columns
   * @param {(item: Item) => string} keyOf
   * @param {string} emptyText
   */
  constructor(name, columns, keyOf, emptyText) {
    const body = element('tbody', { role: 'rowgroup' });
    const headings = columns.map(({ label }) => element('th', { role: 'columnheader', scope: 'col' }, label));
    const head = element('thead', { role: 'rowgroup' }, element('tr', { role: 'row' }, ...headings));
    this.#empty = element('p', { class: 'empty' }, emptyText);
    const table = element('table', { role: 'table', class: 'cards', 'aria-label': name }, head, body);
    this.element = element('div', {}, table, this.#empty);
    const build = (/** @type {Item} */ item) => buildRow(columns, item);
    const update = (/** @type {HTMLTableRowElement} */ row, /** @type {Item} */ item) => updateRow(columns, row, item);
    this.#rows = new KeyedList(body, { keyOf, build, update });
  }

  /** @param {readonly Item[]} items */
  show(items) {
    this.#rows.show(items);
    this.#empty.hidden = items.length > 0;
  }
}

/**
 * @template Item
 * @param {readonly Column<Item>[]} columns
 * @param {Item} item
 */
function buildRow(columns, item) {
  const cells = columns.map(({ label, cell }) =>
    element('td', { role: 'cell', 'data-label': label }, element('div', {}, ...cell(item))),
  );
  return element('tr', { role: 'row' }, ...cells);
}

/**
 * @template Item
 * @param {readonly Column<Item>[]} columns
 * @param {HTMLTableRowElement} row
 * @param {Item} item
 */
function updateRow(columns, row, item) {
  for (const [index, { cell, isKept }] of columns.entries()) {
    const shown = row.cells[index]?.firstElementChild;
    if (shown && isKept !== true) setChildren(shown, ...cell(item));
  }
}
