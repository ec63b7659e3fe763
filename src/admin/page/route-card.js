import { ApiError, runDoctor } from './api.js';
import { element, nameElement, setChildren } from './element.js';
import { countText } from './format.js';

/** @import { KnownState } from './known-state.js' */
/** @import { ShownFinding } from '../doctor-runs.js' */
/** @import { RouteState } from './page-types.js' */

const LEVELS = {
  ok: { sign: '✓', name: 'Good', tone: 'good' },
  note: { sign: '!', name: 'Note', tone: 'warning' },
  problem: { sign: '✗', name: 'Problem', tone: 'bad' },
};

/**
 * Builds the card of a route: its health, its targets, and what can be done with it.
 *
 * @param {RouteState} route
 * @param {KnownState} state
 */
export function buildRouteCard(route, state) {
  const findings = element('div', { class: 'findings', role: 'status' });
  const doctorButton = element(
    'button',
    { type: 'button', click: () => showFindings(route, doctorButton, findings) },
    'Run the doctor',
  );
  const actions = element(
    'p',
    { class: 'buttons' },
    state.can('doctor') && doctorButton,
    state.can('callTools') &&
      element('a', { class: 'button', href: `#/tools/${encodeURIComponent(route.id)}` }, 'Try its tools'),
  );
  const card = element('article', { class: 'card' }, element('div'), actions, findings);
  updateRouteCard(card, route);
  return card;
}

/**
 * @param {HTMLElement} card
 * @param {RouteState} route
 */
export function updateRouteCard(card, route) {
  const { name, url, health, targets, stats } = route;
  const problems = health.problems.map((problem) => element('li', {}, nameElement(problem)));
  const facts = element(
    'div',
    {},
    element('h3', {}, nameElement(name), ' ', healthBadge(health.ready), ' ', loginBadge(route)),
    url !== undefined && element('p', { class: 'code aside' }, nameElement(url)),
    problems.length > 0 && element('ul', { class: 'problems' }, ...problems),
    element('ul', { class: 'targets' }, ...targets.map(targetItem)),
    element('p', { class: 'aside' }, statsText(stats)),
  );
  card.firstElementChild?.replaceWith(facts);
}

/** @param {RouteState['targets'][number]} target */
function targetItem({ name, kind, description }) {
  return element(
    'li',
    {},
    element('strong', {}, nameElement(name)),
    ' ',
    element('span', { class: 'badge quiet' }, kind),
    ' ',
    element('span', { class: 'code aside' }, nameElement(description)),
  );
}

/** @param {boolean} isReady */
function healthBadge(isReady) {
  return element('span', { class: `badge ${isReady ? 'good' : 'bad'}` }, isReady ? 'Ready' : 'Not ready');
}

/** @param {RouteState} route */
function loginBadge({ mode }) {
  if (mode === undefined) return element('span', { class: 'badge warning' }, 'No login');
  return element('span', { class: `badge ${mode === 'strict' ? 'quiet' : 'warning'}` }, `Login ${mode}`);
}

/** @param {RouteState['stats']} stats */
function statsText({ sessions, pending, connections, restarts }) {
  const parts = [
    countText(sessions, 'session'),
    `${countText(pending, 'call')} in progress`,
    countText(connections, 'connection'),
  ];
  return [...parts, ...(restarts > 0 ? [countText(restarts, 'restart')] : [])].join(' · ');
}

/**
 * @param {RouteState} route
 * @param {HTMLButtonElement} button
 * @param {HTMLElement} place
 */
async function showFindings({ id }, button, place) {
  button.disabled = true;
  setChildren(place, element('p', { class: 'aside' }, 'The doctor follows the login of a client…'));
  try {
    const { findings } = await runDoctor(id);
    setChildren(place, element('ul', {}, ...findings.map(findingItem)));
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    setChildren(place, element('p', { class: 'bad' }, error.message));
  } finally {
    button.disabled = false;
  }
}

/** @param {ShownFinding} finding */
function findingItem({ level, text, fix }) {
  const { sign, name, tone } = LEVELS[level];
  return element(
    'li',
    { class: tone },
    element('span', { class: 'sign', role: 'img', 'aria-label': name }, sign),
    element('span', {}, nameElement(text), fix !== undefined && element('span', { class: 'fix' }, nameElement(fix))),
  );
}
