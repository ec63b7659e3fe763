import { element, setChildren } from './element.js';
import { buildEntryRow } from './entry-row.js';
import { ageText, countText } from './format.js';
import { KeyedList } from './keyed-list.js';
import { createNumbersPanel } from './numbers-panel.js';
import { buildRouteCard, updateRouteCard } from './route-card.js';

/** @import { KnownState } from './known-state.js' */
/** @import { LiveFeed } from './live-feed.js' */
/** @import { Entry, RouteState, View } from './page-types.js' */

/** @typedef {{ latest: Entry, count: number }} Problem */

/** The latest problems are shown here, all others in the live list. */
const MAX_PROBLEMS = 5;

/**
 * @param {KnownState} state
 * @param {LiveFeed} feed
 * @returns {View}
 */
export function createOverviewView(state, feed) {
  const summary = element('p', { class: 'lead' });
  const routes = element('div', { class: 'routes' });
  const routeCards = new KeyedList(routes, {
    keyOf: (/** @type {RouteState} */ { id }) => id,
    build: (route) => buildRouteCard(route, state),
    update: updateRouteCard,
  });
  state.addEventListener('change', () => {
    routeCards.show(state.routes);
    setChildren(summary, ...summaryOf(state));
  });
  const content = element(
    'div',
    {},
    summary,
    createNumbersPanel(feed),
    createLatestProblems(feed),
    element('h2', {}, 'Routes'),
    routes,
  );
  return { title: 'Overview', content };
}

/** @param {KnownState} state */
function summaryOf(state) {
  const { value } = state;
  if (value === undefined) return ['Waiting for the server…'];
  const unready = value.routes.filter(({ health }) => !health.ready).length;
  const health = unready === 0 ? 'all ready' : `${unready} not ready`;
  return [
    element(
      'strong',
      { class: unready === 0 ? 'good' : 'bad' },
      `${countText(value.routes.length, 'route')}, ${health}`,
    ),
    ` · version ${value.version} · started ${ageText(value.startedAt)}`,
  ];
}

/** @param {LiveFeed} feed */
function createLatestProblems(feed) {
  const list = element('ol', { class: 'entries' });
  const none = element('p', { class: 'empty' }, 'Nothing was refused and nothing failed lately.');
  const rows = new KeyedList(list, {
    keyOf: ({ latest }) => kindOf(latest),
    build: (/** @type {Problem} */ { latest, count }) => buildEntryRow(latest, { count }),
    update: updateProblem,
  });
  feed.addEventListener('entries', () => {
    const problems = problemsIn(feed.entries(({ isProblem }) => isProblem)).slice(0, MAX_PROBLEMS);
    rows.show(problems);
    none.hidden = problems.length > 0;
  });
  const all = element('a', { href: '#/live' }, 'All calls and logins');
  return element(
    'section',
    {},
    element('h2', {}, 'Latest problems'),
    list,
    none,
    element('p', { class: 'further' }, all),
  );
}

/**
 * Returns the latest problem of each kind, with their number: one failing tool must not hide everything else.
 *
 * @param {readonly Entry[]} newestFirst
 * @returns {Problem[]}
 */
function problemsIn(newestFirst) {
  /** @type {Map<string, Problem>} */
  const problems = new Map();
  for (const entry of newestFirst) {
    const { latest = entry, count = 0 } = problems.get(kindOf(entry)) ?? {};
    problems.set(kindOf(entry), { latest, count: count + 1 });
  }
  return [...problems.values()];
}

/** @param {Entry} entry */
function kindOf({ kind, event }) {
  const { outcome, code } = event;
  const called = 'route' in event ? [event.route, event.name ?? event.method] : [event.path];
  return JSON.stringify([kind, outcome, code, ...called]);
}

/**
 * Updates the row of a problem, except while the operator reads it.
 *
 * @param {HTMLLIElement} row
 * @param {Problem} problem
 */
function updateProblem(row, { latest, count }) {
  const isRead = row.querySelector('details')?.open === true || row.contains(document.activeElement);
  if (isRead || row.dataset.latest === latest.key) return;
  row.dataset.latest = latest.key;
  row.replaceChildren(...buildEntryRow(latest, { count }).childNodes);
}
