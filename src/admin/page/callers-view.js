import { ApiError, readCallers, revoke } from './api.js';
import { runConfirmed } from './confirmed-action.js';
import { DataTable } from './data-table.js';
import { element, nameElement, visibleText } from './element.js';
import { ageText, numberText, timeText } from './format.js';
import { revocationEffect } from './revocation-effect.js';

/** @import { ShownCaller } from '../seen-callers.js' */
/** @import { KnownState } from './known-state.js' */
/** @import { View } from './page-types.js' */

/** @typedef {'user' | 'client'} CallerKind */

/**
 * @param {KnownState} state
 * @returns {View}
 */
export function createCallersView(state) {
  const problem = element('p', { class: 'bad', role: 'status' });
  const lead = element('p', { class: 'lead' });
  const users = createTable('user', state);
  const clients = createTable('client', state);
  let isShown = false;

  async function read() {
    // The first answer of the server says whether tokens can be revoked.
    if (!isShown || state.value === undefined) return;
    try {
      const seen = await readCallers();
      const most = numberText(seen.max);
      const known = seen.isComplete ? '' : ` The ${most} users and ${most} clients that called last are listed.`;
      lead.textContent = `Callers since the server was started, with all of their calls.${known}`;
      users.show(byName(seen.users));
      clients.show(byName(seen.clients));
      problem.textContent = '';
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      problem.textContent = error.message;
    }
  }

  state.addEventListener('change', read);
  const userPart = element('section', {}, element('h2', {}, 'Users'), users.element);
  const clientPart = element('section', {}, element('h2', {}, 'Clients'), clients.element);
  return {
    title: 'Users and clients',
    label: 'Users',
    content: element('div', {}, lead, problem, userPart, clientPart),
    show() {
      isShown = true;
      void read();
    },
    hide() {
      isShown = false;
    },
  };
}

/**
 * Sorts by name: an order in which no row moves while the operator reaches for it.
 *
 * @param {readonly ShownCaller[]} callers
 */
function byName(callers) {
  return callers.toSorted((a, b) => a.name.localeCompare(b.name));
}

/**
 * @param {CallerKind} kind
 * @param {KnownState} state
 */
function createTable(kind, state) {
  const [label, partnerLabel] = kind === 'user' ? ['User', 'Clients'] : ['Client', 'Users'];
  /** @type {import('./data-table.js').Column<ShownCaller>[]} */
  const columns = [
    { label, cell: ({ name }) => [nameElement(name)] },
    {
      label: partnerLabel,
      cell: ({ partners }) => partners.flatMap((name, at) => [at > 0 && ', ', nameElement(name)]),
    },
    { label: 'Issuer', cell: ({ issuer }) => [issuer === undefined ? '–' : nameElement(issuer)] },
    { label: 'Calls', cell: ({ calls }) => [numberText(calls)] },
    { label: 'Last call', cell: ({ lastSeen }) => [ageText(lastSeen)] },
    { label: 'Action', isKept: true, cell: (caller) => [canRevoke(state, caller) ? revokeButton(kind, caller) : '–'] },
  ];
  const keyOf = (/** @type {ShownCaller} */ { issuer, name }) => JSON.stringify([issuer, name]);
  return new DataTable(`${label}s`, columns, keyOf, `No ${kind} has called yet.`);
}

/**
 * @param {KnownState} state
 * @param {ShownCaller} caller
 */
function canRevoke(state, { issuer }) {
  return state.can('revoke') && issuer !== undefined;
}

/**
 * @param {CallerKind} kind
 * @param {ShownCaller} caller
 */
function revokeButton(kind, { name, issuer = '' }) {
  const shown = visibleText(name);
  const ask = () =>
    runConfirmed({
      question: `Revoke the tokens of ${shown}?`,
      explanation: [
        `Every token that was issued to this ${kind} until now by `,
        nameElement(issuer),
        ` ${revocationEffect(kind, issuer)}`,
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
