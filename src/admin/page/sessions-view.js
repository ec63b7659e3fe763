import { ApiError, endSession, readSessions } from './api.js';
import { runConfirmed } from './confirmed-action.js';
import { DataTable } from './data-table.js';
import { element, nameElement, visibleText } from './element.js';
import { ageText, timeText } from './format.js';

/** @import { KnownState } from './known-state.js' */
/** @import { SessionState, View } from './page-types.js' */

const MAX_ROWS = 300;

/**
 * @param {KnownState} state
 * @returns {View}
 */
export function createSessionsView(state) {
  const problem = element('p', { class: 'bad', role: 'status' });
  const lead = element('p', { class: 'lead' });
  const table = createTable(state, read);
  let isShown = false;

  async function read() {
    // The first answer of the server says whether sessions can be ended.
    if (!isShown || state.value === undefined) return;
    try {
      const sessions = await readSessions();
      const hidden = sessions.length > MAX_ROWS ? ` The newest ${MAX_ROWS} are listed.` : '';
      lead.textContent = `Clients with an open session: ${sessions.length}.${hidden}`;
      table.show(sessions.toSorted((a, b) => b.openedAt - a.openedAt).slice(0, MAX_ROWS));
      problem.textContent = '';
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      problem.textContent = error.message;
    }
  }

  state.addEventListener('change', read);
  return {
    title: 'Sessions',
    content: element('div', {}, lead, problem, table.element),
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
 * @param {KnownState} state
 * @param {() => Promise<void>} onChange
 */
function createTable(state, onChange) {
  /** @type {import('./data-table.js').Column<SessionState>[]} */
  const columns = [
    { label: 'User', cell: ({ user }) => [user === undefined ? 'anonymous' : nameElement(user)] },
    { label: 'Client', cell: ({ client }) => [client === undefined ? '–' : nameElement(client)] },
    { label: 'Route', cell: ({ route }) => [nameElement(state.nameOf(route))] },
    { label: 'Opened', cell: ({ openedAt }) => [timeText(openedAt)] },
    { label: 'Last used', cell: ({ lastUsedAt, inUse }) => [inUse ? 'in use now' : ageText(lastUsedAt)] },
    {
      label: 'Action',
      isKept: true,
      cell: (session) => [state.can('endSessions') ? endButton(session, state.nameOf(session.route), onChange) : '–'],
    },
  ];
  return new DataTable('Sessions', columns, ({ id }) => id, 'No client has a session at present.');
}

/**
 * @param {SessionState} session
 * @param {string} route
 * @param {() => Promise<void>} onChange
 */
function endButton({ id, user }, route, onChange) {
  const whose = user === undefined ? 'an anonymous caller' : visibleText(user);
  const end = () =>
    runConfirmed({
      question: `End the session of ${whose}?`,
      explanation: [
        'Calls in progress on ',
        nameElement(route),
        ' are cancelled. The client may open a new session: to lock a user out, revoke their tokens.',
      ],
      button: 'End the session',
      run: async () => {
        await endSession(id);
        await onChange();
        return `The session of ${whose} has ended.`;
      },
    });
  return element(
    'button',
    { type: 'button', 'aria-label': `End the session of ${whose}`, click: () => void end() },
    'End',
  );
}
