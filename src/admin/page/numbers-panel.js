import { element, setChildren } from './element.js';
import { durationText, numberText, timeText } from './format.js';
import { LineChart } from './line-chart.js';

/** @import { LiveFeed } from './live-feed.js' */
/** @import { ShownSecond } from './page-types.js' */

const count = (/** @type {number | undefined} */ value) => numberText(value ?? 0);

const CHARTS = [
  { title: 'Calls per second', format: count, series: [{ name: 'calls', pick: seriesOf('calls') }] },
  {
    title: 'Errors per second',
    format: count,
    series: [
      { name: 'errors', pick: seriesOf('errors') },
      { name: 'refused', pick: seriesOf('refused') },
    ],
  },
  {
    title: 'Duration of calls',
    format: durationText,
    isClipped: true,
    series: [
      { name: 'median', pick: seriesOf('p50') },
      { name: '95th percentile', pick: seriesOf('p95') },
    ],
  },
  {
    title: 'Sessions',
    format: count,
    series: [
      { name: 'open', pick: seriesOf('sessions') },
      { name: 'calls in progress', pick: seriesOf('pending') },
    ],
  },
];
/** Seconds in the table. */
const MAX_TABLE_ROWS = 10;

/**
 * Creates the charts of the last five minutes, and a table of the last seconds.
 *
 * @param {LiveFeed} feed
 */
export function createNumbersPanel(feed) {
  const charts = CHARTS.map((chart) => new LineChart(chart));
  const body = element('tbody');
  const names = ['Time', ...CHARTS.flatMap(({ series }) => series.map(({ name }) => name))];
  const head = element('thead', {}, element('tr', {}, ...names.map((name) => element('th', { scope: 'col' }, name))));
  const table = element(
    'details',
    { class: 'numbers-table', toggle: draw },
    element('summary', {}, 'The last seconds as a table'),
    element(
      'div',
      { class: 'scroll', tabindex: 0, role: 'region', 'aria-label': 'The last seconds' },
      element('table', {}, head, body),
    ),
  );

  function draw() {
    for (const chart of charts) chart.show(feed.numbers);
    if (table.open) setChildren(body, ...feed.numbers.slice(-MAX_TABLE_ROWS).reverse().map(rowOf));
  }

  feed.addEventListener('numbers', draw);
  return element('div', {}, element('div', { class: 'charts' }, ...charts.map((chart) => chart.element)), table);
}

/**
 * @param {Exclude<keyof ShownSecond, 'time'>} name
 * @returns {(second: ShownSecond) => number | undefined}
 */
function seriesOf(name) {
  return (second) => second[name];
}

/** @param {ShownSecond} second */
function rowOf(second) {
  const values = CHARTS.flatMap(({ series, format }) => series.map(({ pick }) => format(pick(second))));
  return element(
    'tr',
    {},
    element('th', { scope: 'row' }, timeText(second.time)),
    ...values.map((value) => element('td', {}, value)),
  );
}
