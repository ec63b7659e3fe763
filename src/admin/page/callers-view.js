import { revoke } from './api.js';
import { runConfirmed } from './confirmed-action.js';
import { DataTable } from './data-table.js';
import { element, nameElement, visibleText } from './element.js';
import { ageText, timeText } from './format.js';

/** @import { KnownState } from './known-state.js' */
/** @import { LiveFeed } from './live-feed.js' */
/** @import { ShownCall, Entry, View } from './page-types.js' */

/** @typedef {'user' | 'client'} CallerKind */
/** @typedef {{ name: string, issuer: string | undefined, calls: number, lastSeen: number, partners: Set<string> }} Caller */

/** Users, and clients, that are remembered. */
const MAX_CALLERS = 300;
/** Clients of a user, and users of a client, that are named. */
const MAX_PARTNERS = 5;

/** Users and clients whose calls this page has seen. Those that called last are remembered. */
class SeenCallers {
  /** @type {Record<CallerKind, Map<string, Caller>>} */
  #callers = { user: new Map(), client: new Map() };

  /** @param {ShownCall} call */
  add({ user, client, issuer, time }) {
    if (user !== undefined) this.#count('user', user, issuer, client, time);
    if (client !== undefined) this.#count('client', client, issuer, user, time);
  }

  /**
   * By name: an order in which no row moves while the operator reaches for it.
   *
   * @param {CallerKind} kind
   */
  list(kind) {
    return [...this.#callers[kind].values()].sort((a, b) => a.name.localeCompare(b.name));
  }

  /**
   * @param {CallerKind} kind
   * @param {string} name
   * @param {string | undefined} issuer
   * @param {string | undefined} partner
   * @param {number} time
   */
  #count(kind, name, issuer, partner, time) {
    const callers = this.#callers[kind];
    const key = JSON.stringify([issuer, name]);
    const caller = callers.get(key) ?? { name, issuer, calls: 0, lastSeen: 0, partners: new Set() };
    caller.calls += 1;
    caller.lastSeen = Math.max(caller.lastSeen, time);
    if (partner !== undefined && caller.partners.size < MAX_PARTNERS) caller.partners.add(partner);
    callers.delete(key);
    callers.set(key, caller);
    const [oldest] = callers.keys();
    if (callers.size > MAX_CALLERS && oldest !== undefined) callers.delete(oldest);
  }
}

/**
 * @param {KnownState} state
 * @param {LiveFeed} feed
 * @returns {View}
 */
export function createCallersView(state, feed) {
  const seen = new SeenCallers();
  const users = createTable('user', state);
  const clients = createTable('client', state);
  let isShown = false;

  function draw() {
    // The first answer of the server says whether tokens can be revoked.
    if (!isShown || state.value === undefined) return;
    users.show(seen.list('user'));
    clients.show(seen.list('client'));
  }

  feed.addEventListener('entry', (event) => {
    const entry = /** @type {CustomEvent<Entry>} */ (event).detail;
    if (entry.kind === 'call') seen.add(entry.event);
  });
  feed.addEventListener('entries', draw);
  state.addEventListener('change', draw);
  const lead = element(
    'p',
    { class: 'lead' },
    'Callers that this page has seen since it was opened, and shortly before.',
  );
  const userPart = element('section', {}, element('h2', {}, 'Users'), users.element);
  const clientPart = element('section', {}, element('h2', {}, 'Clients'), clients.element);
  return {
    title: 'Users and clients',
    label: 'Users',
    content: element('div', {}, lead, userPart, clientPart),
    show() {
      isShown = true;
      draw();
    },
    hide() {
      isShown = false;
    },
  };
}

/**
 * @param {CallerKind} kind
 * @param {KnownState} state
 */
function createTable(kind, state) {
  const [label, partnerLabel] = kind === 'user' ? ['User', 'Clients'] : ['Client', 'Users'];
  /** @type {import('./data-table.js').Column<Caller>[]} */
  const columns = [
    { label, cell: ({ name }) => [nameElement(name)] },
    {
      label: partnerLabel,
      cell: ({ partners }) => [...partners].flatMap((name, at) => [at > 0 && ', ', nameElement(name)]),
    },
    { label: 'Issuer', cell: ({ issuer }) => [issuer === undefined ? '–' : nameElement(issuer)] },
    { label: 'Calls', cell: ({ calls }) => [calls] },
    { label: 'Last call', cell: ({ lastSeen }) => [ageText(lastSeen)] },
    { label: 'Action', isKept: true, cell: (caller) => [canRevoke(state, caller) ? revokeButton(kind, caller) : '–'] },
  ];
  const keyOf = (/** @type {Caller} */ { issuer, name }) => JSON.stringify([issuer, name]);
  return new DataTable(`${label}s`, columns, keyOf, `No ${kind} has called yet.`);
}

/**
 * @param {KnownState} state
 * @param {Caller} caller
 */
function canRevoke(state, { issuer }) {
  return state.can('revoke') && issuer !== undefined;
}

/**
 * @param {CallerKind} kind
 * @param {Caller} caller
 */
function revokeButton(kind, { name, issuer = '' }) {
  const shown = visibleText(name);
  const ask = () =>
    runConfirmed({
      question: `Revoke the tokens of ${shown}?`,
      explanation: [
        `Every token that was issued to this ${kind} until now by `,
        nameElement(issuer),
        ' is refused from now on. After a new login they may call again.',
      ],
      button: 'Revoke',
      run: async () => {
        const { until, untilRestart } = await revoke(
          kind === 'user' ? { user: name, issuer } : { client: name, issuer },
        );
        const end = untilRestart ? 'this process ends, since no store is configured' : timeText(until);
        return `The tokens of ${shown} are revoked. This is remembered until ${end}.`;
      },
    });
  return element(
    'button',
    { type: 'button', 'aria-label': `Revoke the tokens of ${shown}`, click: () => void ask() },
    'Revoke',
  );
}
