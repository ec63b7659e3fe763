import { element, setChildren, svgElement } from './element.js';
import { timeText } from './format.js';
import { MAX_NUMBERS } from './live-feed.js';

/** @import { ShownSecond } from './page-types.js' */
/**
 * @typedef {object} Series
 * @property {string} name
 * @property {(second: ShownSecond) => number | undefined} pick
 */
/**
 * @typedef {object} Chart
 * @property {string} title
 * @property {readonly Series[]} series The first one is filled. Each has its own colour and dashes.
 * @property {(value: number | undefined) => string} format
 * @property {boolean} [isClipped] The few highest values may be above its top, so that others can be told apart.
 */

const WIDTH = MAX_NUMBERS;
const HEIGHT = 60;
/** The share of the values that a clipped chart shows in full. */
const USUAL_SHARE = 0.98;

/** A chart of the last minutes, with its current values as text and a sentence for screen readers. */
export class LineChart {
  #chart;
  #svg = svgElement('svg', { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: 'none', role: 'img' });
  #top = element('span', { class: 'chart-top', 'aria-hidden': 'true' });
  #legend = element('dl', { class: 'legend' });
  /** @type {readonly ShownSecond[]} */
  #seconds = [];
  /** @type {ShownSecond | undefined} The second under the pointer. */
  #pointed;
  element;

  /** @param {Chart} chart */
  constructor(chart) {
    this.#chart = chart;
    const plot = element(
      'div',
      { class: 'plot', pointermove: (event) => this.#point(event), pointerleave: () => this.#point(undefined) },
      this.#svg,
      this.#top,
    );
    this.element = element('figure', { class: 'chart' }, element('figcaption', {}, chart.title), this.#legend, plot);
    this.show([]);
  }

  /** @param {readonly ShownSecond[]} seconds Oldest first. */
  show(seconds) {
    this.#seconds = seconds;
    if (this.#pointed !== undefined && !seconds.includes(this.#pointed)) this.#pointed = undefined;
    const { series, format } = this.#chart;
    const highest = this.#topOf(series.flatMap(({ pick }) => seconds.map((second) => pick(second) ?? 0)));
    const paths = series.map(({ pick }, index) => pathsOf(this.#points(pick, highest), index));
    setChildren(this.#svg, ...paths.flat(), this.#markerOf());
    this.#top.textContent = format(highest);
    this.#svg.setAttribute('aria-label', this.#sentence());
    this.#showLegend();
  }

  /** @param {readonly number[]} values */
  #topOf(values) {
    const highest = Math.max(1, ...values);
    if (this.#chart.isClipped !== true) return highest;
    const usual = values.toSorted((a, b) => a - b)[Math.floor(values.length * USUAL_SHARE)] ?? 1;
    return Math.min(highest, Math.max(1, usual * 1.2));
  }

  /**
   * @param {Series['pick']} pick
   * @param {number} highest
   */
  #points(pick, highest) {
    return this.#seconds.flatMap((second) => {
      const value = pick(second);
      return value === undefined ? [] : [{ x: this.#xOf(second), y: HEIGHT - 1 - (value / highest) * (HEIGHT - 4) }];
    });
  }

  /** @param {ShownSecond} second */
  #xOf({ time }) {
    return WIDTH - (timeOf(this.#seconds.at(-1)) - time) / 1000;
  }

  #markerOf() {
    const x = this.#pointed && this.#xOf(this.#pointed);
    return x !== undefined && svgElement('line', { class: 'marker', x1: x, x2: x, y1: 0, y2: HEIGHT });
  }

  #showLegend() {
    const { series, format } = this.#chart;
    const second = this.#pointed ?? this.#seconds.at(-1);
    const values = series.map(({ name, pick }, index) =>
      element(
        'div',
        { class: `series-${index}` },
        element(
          'dt',
          {},
          svgElement('svg', { viewBox: '0 0 16 4', class: 'swatch', 'aria-hidden': 'true' }, swatchLine()),
          name,
        ),
        element('dd', {}, second === undefined ? '–' : format(pick(second))),
      ),
    );
    const when =
      this.#pointed &&
      element('div', { class: 'when' }, element('dt', {}, 'at'), element('dd', {}, timeText(this.#pointed.time)));
    setChildren(this.#legend, ...values, when);
  }

  #sentence() {
    const { title, series, format } = this.#chart;
    const last = this.#seconds.at(-1);
    if (last === undefined) return `${title}: no numbers yet.`;
    const parts = series.map(({ name, pick }) => {
      const values = this.#seconds.flatMap((second) => pick(second) ?? []);
      return `${name} now ${format(pick(last))}, highest ${format(values.length === 0 ? undefined : Math.max(...values))}`;
    });
    return `${title}, last ${Math.ceil(this.#seconds.length / 60)} minutes: ${parts.join('; ')}.`;
  }

  /** @param {PointerEvent | undefined} event */
  #point(event) {
    const box = this.#svg.getBoundingClientRect();
    const wanted = event && timeOf(this.#seconds.at(-1)) - (1 - (event.clientX - box.left) / box.width) * WIDTH * 1000;
    this.#pointed = wanted === undefined ? undefined : this.#seconds.findLast(({ time }) => time <= wanted + 500);
    this.show(this.#seconds);
  }
}

/** @param {ShownSecond | undefined} second */
function timeOf(second) {
  return second?.time ?? 0;
}

function swatchLine() {
  return svgElement('line', { x1: 0, x2: 16, y1: 2, y2: 2 });
}

/**
 * @param {readonly { x: number, y: number }[]} points
 * @param {number} index
 */
function pathsOf(points, index) {
  if (points.length === 0) return [];
  const line = points.map(({ x, y }, at) => `${at === 0 ? 'M' : 'L'}${round(x)} ${round(y)}`).join('');
  const area = `${line}L${round(points.at(-1)?.x ?? 0)} ${HEIGHT}L${round(points[0]?.x ?? 0)} ${HEIGHT}Z`;
  const drawn = [svgElement('path', { class: `line series-${index}`, d: line })];
  return index === 0 ? [svgElement('path', { class: `area series-${index}`, d: area }), ...drawn] : drawn;
}

/** @param {number} value */
function round(value) {
  return Math.round(value * 10) / 10;
}
