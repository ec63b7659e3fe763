import { ApiError, readState } from './api.js';

/** @import { RouteState, ServerState } from './page-types.js' */

const INTERVAL_MS = 3000;

/** The last state that the server has sent. Dispatches `change` after each answer and each failure. */
export class KnownState extends EventTarget {
  /** @type {ServerState | undefined} */
  value;
  /** The reason why the last answer is missing; empty if it is there. */
  problem = '';

  /** Reads it now, and then every few seconds while the page can be seen. */
  watch() {
    void this.refresh();
    setInterval(() => document.visibilityState === 'visible' && void this.refresh(), INTERVAL_MS);
    document.addEventListener('visibilitychange', () => document.visibilityState === 'visible' && void this.refresh());
  }

  async refresh() {
    try {
      this.value = await readState();
      this.problem = '';
    } catch (error) {
      this.problem = error instanceof ApiError ? error.message : String(error);
    }
    this.dispatchEvent(new Event('change'));
  }

  /** @returns {readonly RouteState[]} */
  get routes() {
    return this.value?.routes ?? [];
  }

  /**
   * The name of a route.
   *
   * @param {string} id
   */
  nameOf(id) {
    return this.routes.find((route) => route.id === id)?.name ?? id;
  }

  /**
   * False until the server has answered.
   *
   * @param {keyof ServerState['can']} ability
   */
  can(ability) {
    return this.value?.can[ability] === true;
  }
}
