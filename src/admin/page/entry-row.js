import { element, nameElement } from './element.js';
import { bytesText, durationText, timeText } from './format.js';
import { helpElement } from './help-text.js';
import { outcomeOf } from './outcomes.js';

/** @import { ShownCall, ShownDecision, Entry } from './page-types.js' */
/** @import { Child } from './element.js' */

/**
 * Builds the row of a call or a decision: one line, which opens and then shows everything that is known.
 *
 * @param {Entry} entry
 * @param {{ isOpen?: boolean, count?: number }} [options] `count` is the number of entries that this row stands for.
 * @returns {HTMLLIElement}
 */
export function buildEntryRow(entry, { isOpen = false, count = 1 } = {}) {
  const { label, tone, meaning } = outcomeOf(entry);
  const line = entry.kind === 'call' ? callLine(entry.event) : decisionLine(entry.event);
  const summary = element(
    'summary',
    {},
    element('time', { class: 'when', datetime: new Date(entry.time).toISOString() }, timeText(entry.time)),
    element('span', { class: `badge ${tone}`, title: meaning }, label),
    element(
      'span',
      { class: 'what' },
      ...line.what,
      count > 1 && element('span', { class: 'aside' }, `${count} times`),
    ),
    element('span', { class: 'who' }, ...line.who),
    element('span', { class: 'number' }, durationText(entry.event.durationMs)),
  );
  const details = element('details', { open: isOpen }, summary);
  // Most rows are never opened.
  const fill = () => details.childElementCount === 1 && details.append(detailsOf(entry, meaning));
  if (isOpen) fill();
  details.addEventListener('toggle', fill);
  return element('li', { class: `entry ${tone}` }, details);
}

/** @param {ShownCall} event */
function callLine({ method, name, target, route, user, client, code }) {
  const place = target === undefined ? route : `${route} → ${target}`;
  return {
    what: [
      element('span', { class: 'code' }, name === undefined ? nameElement(method) : nameElement(name)),
      element('span', { class: 'aside' }, name !== undefined && `${method} · `, nameElement(place), ...codePart(code)),
    ],
    who: whoOf(user, client),
  };
}

/** @param {ShownCall['code']} code */
function codePart(code) {
  return code === undefined ? [] : [' · ', element('code', {}, nameElement(String(code)))];
}

/** @param {ShownDecision} event */
function decisionLine({ outcome, method, path, code, text, subject, clientId }) {
  const who = whoOf(subject, clientId);
  const isClaim = outcome !== 'passed' && (subject ?? clientId) !== undefined;
  const request = [`${method} `, nameElement(path)];
  if (code === undefined) return { what: request, who };
  // The badge says what comes before the colon.
  const reason = text.slice(text.indexOf(': ') + 1).trim();
  return {
    what: [nameElement(reason), element('span', { class: 'aside' }, element('code', {}, code), ' · ', ...request)],
    who: isClaim ? ['claims to be ', ...who] : who,
  };
}

/**
 * @param {string | undefined} user
 * @param {string | undefined} client
 * @returns {Child[]}
 */
function whoOf(user, client) {
  if (user === undefined && client === undefined) return ['anonymous'];
  if (user === undefined) return [nameElement(client ?? '')];
  return client === undefined ? [nameElement(user)] : [nameElement(user), ' with ', nameElement(client)];
}

/**
 * @param {Entry} entry
 * @param {string} meaning
 */
function detailsOf(entry, meaning) {
  const facts = entry.kind === 'call' ? callFacts(entry.event) : decisionFacts(entry.event);
  const list = element('dl', { class: 'facts' });
  for (const [term, value] of facts) {
    if (value === undefined || value === '') continue;
    list.append(element('div', {}, element('dt', {}, term), element('dd', {}, nameElement(String(value)))));
  }
  const { strict, text, help } = /** @type {Partial<ShownDecision>} */ (entry.event);
  return element(
    'div',
    { class: 'more' },
    element('p', {}, text === undefined ? meaning : nameElement(text)),
    strict !== undefined &&
      element('p', { class: 'strict' }, element('strong', {}, 'Strict mode: '), nameElement(strict)),
    help !== undefined && helpElement(help),
    list,
  );
}

/**
 * @param {ShownCall} event
 * @returns {[term: string, value: unknown][]}
 */
function callFacts(event) {
  const { content } = event;
  return [
    ['Method', event.method],
    ['Name', event.name],
    ['Route', event.route],
    ['Target', event.target],
    ['User', event.user],
    ['Client', event.client],
    ['Issuer', event.issuer],
    ['Credential', event.credential.replaceAll('_', ' ')],
    ['Code', event.code],
    ['Duration', durationText(event.durationMs)],
    ['Request', bytesText(event.bytesIn)],
    ['Answer', bytesText(event.bytesOut)],
    ['Session', event.session],
    ['Request id', event.requestId],
    ['Trace', event.traceId],
    ['Content', content === undefined ? undefined : JSON.stringify(content)],
  ];
}

/**
 * @param {ShownDecision} event
 * @returns {[term: string, value: unknown][]}
 */
function decisionFacts(event) {
  const claimed = event.outcome === 'passed' ? '' : ' (not verified)';
  return [
    ['Mode', event.mode],
    ['Code', event.code],
    ['Request', `${event.method} ${event.path}`],
    [`User${claimed}`, event.subject],
    [`Client${claimed}`, event.clientId],
    [`Issuer${claimed}`, event.issuer],
    [`Key${claimed}`, event.kid],
    ['Duration', durationText(event.durationMs)],
    ['Token remembered', event.cached ? 'yes' : 'no'],
    ['Request id', event.requestId],
  ];
}
