const CLOCK = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit', second: '2-digit' });
const DAY_AND_CLOCK = new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium', timeStyle: 'short' });
const NUMBER = new Intl.NumberFormat('en', { maximumFractionDigits: 1 });
const DAY_MS = 24 * 60 * 60 * 1000;

/**
 * The time of day, with the day if it is not of the last 24 hours.
 *
 * @param {number | string} time
 */
export function timeText(time) {
  const date = new Date(time);
  if (Number.isNaN(date.getTime())) return String(time);
  return Math.abs(Date.now() - date.getTime()) < DAY_MS ? CLOCK.format(date) : DAY_AND_CLOCK.format(date);
}

/** @param {number | string} time */
export function dateText(time) {
  const date = new Date(time);
  return Number.isNaN(date.getTime()) ? String(time) : DAY_AND_CLOCK.format(date);
}

/** @param {number} value */
export function numberText(value) {
  return NUMBER.format(value);
}

/** @param {number | undefined} milliseconds */
export function durationText(milliseconds) {
  if (milliseconds === undefined) return '–';
  if (milliseconds >= 10_000) return `${NUMBER.format(milliseconds / 1000)} s`;
  return `${NUMBER.format(milliseconds < 10 ? milliseconds : Math.round(milliseconds))} ms`;
}

/** @param {number} bytes */
export function bytesText(bytes) {
  if (bytes < 1024) return `${bytes} B`;
  return bytes < 1024 * 1024 ? `${NUMBER.format(bytes / 1024)} KiB` : `${NUMBER.format(bytes / 1024 / 1024)} MiB`;
}

/**
 * `1 session`, `2 sessions`.
 *
 * @param {number} count
 * @param {string} noun
 */
export function countText(count, noun) {
  return `${NUMBER.format(count)} ${noun}${count === 1 ? '' : 's'}`;
}

/** @param {number | string} since */
export function ageText(since) {
  const seconds = Math.max(0, Math.round((Date.now() - new Date(since).getTime()) / 1000));
  if (seconds < 60) return `${seconds} s ago`;
  if (seconds < 3600) return `${Math.round(seconds / 60)} min ago`;
  return seconds < 86_400 ? `${Math.round(seconds / 3600)} h ago` : dateText(since);
}
