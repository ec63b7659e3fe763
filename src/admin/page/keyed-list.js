/**
 * Keeps the children of an element in step with a list of items. A child that stays is not touched, so that it keeps the focus and
 * what the user opened in it.
 *
 * @template Item
 * @template {HTMLElement} Row
 */
export class KeyedList {
  /** @type {Map<string, Row>} */
  #rows = new Map();
  #parent;
  #rowBuilder;

  /**
   * @param {HTMLElement} parent
   * @param {{ keyOf(item: Item): string, build(item: Item): Row, update?(row: Row, item: Item): void }} rowBuilder
   */
  constructor(parent, rowBuilder) {
    this.#parent = parent;
    this.#rowBuilder = rowBuilder;
  }

  /** @param {readonly Item[]} items */
  show(items) {
    const { keyOf, build, update } = this.#rowBuilder;
    const wanted = new Map(items.map((item) => [keyOf(item), item]));
    for (const [key, row] of this.#rows) {
      if (wanted.has(key)) continue;
      row.remove();
      this.#rows.delete(key);
    }
    let place = this.#parent.firstElementChild;
    for (const [key, item] of wanted) {
      const known = this.#rows.get(key);
      const row = known ?? build(item);
      if (known !== undefined) update?.(known, item);
      this.#rows.set(key, row);
      if (row === place) place = place.nextElementSibling;
      else this.#parent.insertBefore(row, place);
    }
  }
}
