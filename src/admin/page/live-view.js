import { element, setChildren } from './element.js';
import { buildEntryRow } from './entry-row.js';
import { numberText } from './format.js';
import { KeyedList } from './keyed-list.js';
import { allOutcomes } from './outcomes.js';

/** @import { LiveFeed } from './live-feed.js' */
/** @import { Entry, View } from './page-types.js' */

const PASSED = ['passed', 'anonymous'];

/** @type {Readonly<Record<string, { label: string, accepts(entry: Entry): boolean }>>} */
const FILTERS = {
  usual: {
    label: 'Calls and refused logins',
    accepts: ({ kind, event }) => kind === 'call' || !PASSED.includes(event.outcome),
  },
  problems: { label: 'Problems only', accepts: ({ isProblem }) => isProblem },
  calls: { label: 'Calls', accepts: ({ kind }) => kind === 'call' },
  logins: { label: 'Login decisions', accepts: ({ kind }) => kind === 'decision' },
  everything: { label: 'Everything', accepts: () => true },
};

/**
 * The live list: newest first, with a filter and a pause. The latest refusal of each code is open, so that its explanation is seen.
 *
 * @param {LiveFeed} feed
 * @returns {View}
 */
export function createLiveView(feed) {
  const list = element('ol', { class: 'entries', 'aria-label': 'Calls and logins, newest first' });
  const empty = element('p', { class: 'empty' }, 'Nothing fits this filter yet. New calls and logins appear here.');
  const note = element('p', { class: 'note', hidden: true });
  const opened = new OpenedRows();
  const rows = new KeyedList(list, {
    keyOf: (/** @type {Entry} */ { key }) => key,
    build: (entry) => opened.build(entry),
  });
  let isShown = false;

  function draw() {
    if (!isShown) return;
    drawNote(note, feed, controls.waiting);
    if (controls.isPaused) return;
    const entries = feed.entries(controls.accepts);
    rows.show(entries);
    empty.hidden = entries.length > 0;
  }

  const controls = new LiveControls(draw);
  feed.addEventListener('entry', () => controls.countWaiting());
  feed.addEventListener('entries', draw);
  feed.addEventListener('numbers', () => drawNote(note, feed, controls.waiting));
  return {
    title: 'Live',
    content: element('div', {}, controls.element, note, list, empty),
    show() {
      isShown = true;
      draw();
    },
    hide() {
      isShown = false;
    },
  };
}

/** The text field, the choice of outcomes, and the pause. */
class LiveControls {
  isPaused = false;
  /** Events since the pause began. */
  waiting = 0;
  element;
  #onChange;
  #pause = element('button', { type: 'button', click: () => this.#togglePause() }, 'Pause');
  #text = element('input', { type: 'search', id: 'filter-text', autocomplete: 'off', input: () => this.#onChange() });
  #choice = element(
    'select',
    { id: 'filter-outcome', change: () => this.#onChange() },
    ...Object.entries(FILTERS).map(([value, { label }]) => element('option', { value }, label)),
    element(
      'optgroup',
      { label: 'One outcome' },
      ...allOutcomes().map(({ kind, outcome, label }) => element('option', { value: `${kind} ${outcome}` }, label)),
    ),
  );

  /** @param {() => void} onChange */
  constructor(onChange) {
    this.#onChange = onChange;
    this.element = element(
      'div',
      { class: 'controls' },
      element('div', { class: 'field wide' }, element('label', { for: 'filter-text' }, 'Filter by text'), this.#text),
      element('div', { class: 'field' }, element('label', { for: 'filter-outcome' }, 'Show'), this.#choice),
      this.#pause,
    );
  }

  /** @type {(entry: Entry) => boolean} */
  accepts = (entry) => {
    const wanted = this.#choice.value;
    const isChosen = FILTERS[wanted]?.accepts(entry) ?? wanted === `${entry.kind} ${entry.event.outcome}`;
    return isChosen && entry.searched.includes(this.#text.value.trim().toLowerCase());
  };

  countWaiting() {
    if (this.isPaused) this.waiting += 1;
  }

  #togglePause() {
    this.isPaused = !this.isPaused;
    this.waiting = 0;
    this.#pause.textContent = this.isPaused ? 'Continue' : 'Pause';
    this.#onChange();
  }
}

/** Opens the row of the latest refusal of each code, and closes the one before, unless the operator has touched that. */
class OpenedRows {
  /** @type {Map<string, { row: HTMLLIElement, order: number }>} */
  #latest = new Map();

  /** @param {Entry} entry */
  build(entry) {
    const { kind, isProblem, event, order } = entry;
    const code = String(event.code);
    const known = this.#latest.get(code);
    const isOpen = kind === 'decision' && isProblem && order >= (known?.order ?? 0);
    const row = buildEntryRow(entry, { isOpen });
    if (!isOpen) return row;
    known?.row.querySelector('details:not([data-touched])')?.removeAttribute('open');
    row
      .querySelector('summary')
      ?.addEventListener('click', () => row.querySelector('details')?.setAttribute('data-touched', ''));
    this.#latest.set(code, { row, order });
    return row;
  }
}

/**
 * @param {HTMLElement} note
 * @param {LiveFeed} feed
 * @param {number} waiting
 */
function drawNote(note, { sampled }, waiting) {
  const notes = [
    sampled !== undefined &&
      `Too many to show: ${numberText(sampled.shown)} of ${numberText(sampled.seen)} are listed.`,
    waiting > 0 && `Paused: ${numberText(waiting)} more since then.`,
  ];
  note.hidden = notes.every((text) => text === false);
  setChildren(note, notes.filter((text) => text !== false).join(' '));
}
