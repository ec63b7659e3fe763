import { ApiError, callTool, listTools } from './api.js';
import { ArgumentForm } from './argument-form.js';
import { CredentialField } from './credential-field.js';
import { element, nameElement, setChildren } from './element.js';
import { countText } from './format.js';
import { toolResultElement } from './tool-result.js';

/** @import { KnownState } from './known-state.js' */
/** @import { ShownTool } from '../tool-client.js' */
/** @import { View } from './page-types.js' */

const MAX_TOOLS = 300;

/**
 * @param {KnownState} state
 * @returns {View}
 */
export function createToolsView(state) {
  const panel = new ToolsPanel(state);
  // Without the first answer of the server, there is no route to choose.
  panel.element.hidden = true;
  const impossible = element(
    'p',
    { class: 'empty', hidden: true },
    'Tools of this server cannot be called from this page.',
  );
  state.addEventListener('change', () => {
    impossible.hidden = state.can('callTools');
    panel.element.hidden = !impossible.hidden;
    panel.showRoutes();
  });
  return {
    title: 'Tools',
    content: element('div', {}, impossible, panel.element),
    show: (parameter) => panel.chooseRoute(parameter),
  };
}

/** The choice of a route and a token, the list of tools, and the form of one. */
class ToolsPanel {
  element;
  #state;
  #credential;
  #route = element('select', { id: 'tools-route', change: () => this.#changeRoute() });
  #wanted = '';
  #list = element('ul', { class: 'tool-list' });
  #status = element('p', { role: 'status', class: 'tools-status' });
  #tool = element('div', { class: 'tool' });
  #filter = element('input', {
    type: 'search',
    id: 'tools-filter',
    autocomplete: 'off',
    input: () => this.#showTools(),
  });
  #filterField = element(
    'div',
    { class: 'field', hidden: true },
    element('label', { for: 'tools-filter' }, 'Find a tool'),
    this.#filter,
  );
  #read = element('button', { type: 'submit', class: 'primary' }, 'List the tools');
  /** @type {readonly ShownTool[]} */
  #tools = [];

  /** @param {KnownState} state */
  constructor(state) {
    this.#state = state;
    this.#credential = new CredentialField(state);
    const choice = element(
      'form',
      { class: 'card', submit: (event) => this.#submit(event) },
      element('div', { class: 'field' }, element('label', { for: 'tools-route' }, 'Route'), this.#route),
      this.#credential.element,
      element('p', { class: 'buttons' }, this.#read),
    );
    const columns = element('div', { class: 'columns' }, element('div', {}, this.#filterField, this.#list), this.#tool);
    this.element = element('div', {}, choice, this.#status, columns);
  }

  showRoutes() {
    const options = this.#state.routes.map(({ id, name }) => element('option', { value: id }, name));
    const texts = options.map(({ value, text }) => `${value} ${text}`).join('\n');
    if (this.#route.dataset.texts !== texts) {
      const chosen = this.#route.value || this.#wanted;
      setChildren(this.#route, ...options);
      this.#route.dataset.texts = texts;
      if (this.#state.routes.some(({ id }) => id === chosen)) this.#route.value = chosen;
      // The chosen route is gone: its tools must not be called at another one.
      if (this.#route.value !== chosen) this.#changeRoute();
    }
    this.#showCredential();
  }

  /** @param {string} id */
  chooseRoute(id) {
    this.#wanted = id;
    if (id === this.#route.value || !this.#state.routes.some((route) => route.id === id)) return;
    this.#route.value = id;
    this.#changeRoute();
  }

  #changeRoute() {
    this.#tools = [];
    this.#showTools();
    setChildren(this.#tool);
    this.#status.textContent = '';
    this.#showCredential();
  }

  #showCredential() {
    this.#credential.show(this.#state.routes.find(({ id }) => id === this.#route.value));
  }

  /** @param {SubmitEvent} event */
  async #submit(event) {
    event.preventDefault();
    this.#read.disabled = true;
    this.#status.textContent = 'Asking for the tools…';
    const route = this.#route.value;
    try {
      const { tools } = await listTools(route, this.#credential.read());
      this.#show(route, tools, countText(tools.length, 'tool'));
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      this.#show(route, [], error.message);
    } finally {
      this.#read.disabled = false;
    }
  }

  /**
   * @param {string} route Its answer is not shown if the operator has chosen another one meanwhile.
   * @param {readonly ShownTool[]} tools
   * @param {string} status
   */
  #show(route, tools, status) {
    if (route !== this.#route.value) return;
    this.#tools = tools;
    this.#status.textContent = status;
    setChildren(this.#tool);
    this.#showTools();
  }

  #showTools() {
    const text = this.#filter.value.trim().toLowerCase();
    const fitting = this.#tools.filter((tool) => `${tool.name}\n${descriptionOf(tool)}`.toLowerCase().includes(text));
    this.#filterField.hidden = this.#tools.length === 0;
    setChildren(this.#list, ...fitting.slice(0, MAX_TOOLS).map((tool) => this.#toolItem(tool)));
  }

  /** @param {ShownTool} tool */
  #toolItem(tool) {
    const button = element(
      'button',
      { type: 'button', class: 'tool-choice', click: () => this.#choose(tool, button) },
      element('span', { class: 'code' }, nameElement(tool.name)),
      element('span', { class: 'aside' }, nameElement(descriptionOf(tool))),
    );
    return element('li', {}, button);
  }

  /**
   * @param {ShownTool} tool
   * @param {HTMLButtonElement} button
   */
  #choose(tool, button) {
    for (const current of this.#list.querySelectorAll('[aria-current]')) current.removeAttribute('aria-current');
    button.setAttribute('aria-current', 'true');
    const credential = this.#credential;
    const form = createToolForm(tool, (given) => callTool(this.#route.value, credential.read(), tool.name, given));
    setChildren(this.#tool, form);
    form.querySelector('h2')?.focus();
  }
}

/**
 * @param {ShownTool} tool
 * @param {(given: Readonly<Record<string, unknown>>) => ReturnType<typeof callTool>} call
 */
function createToolForm(tool, call) {
  const { name, inputSchema } = tool;
  const fields = new ArgumentForm(inputSchema);
  const button = element('button', { type: 'submit', class: 'primary' }, 'Call the tool');
  const result = element('div', { 'aria-live': 'polite' });
  const heading = element('h2', { tabindex: -1 }, nameElement(name));
  const about = element('p', { class: 'description' }, descriptionOf(tool));
  const form = element(
    'form',
    { class: 'card', submit },
    heading,
    about,
    fields.element,
    element('p', { class: 'buttons' }, button),
    result,
  );

  /** @param {SubmitEvent} event */
  async function submit(event) {
    event.preventDefault();
    const given = fields.read();
    if (given === undefined) return;
    button.disabled = true;
    setChildren(result, element('p', { class: 'aside' }, 'Calling…'));
    const began = performance.now();
    const answer = await call(given).catch((error) => ({ error }));
    try {
      setChildren(result, toolResultElement(answer, performance.now() - began));
    } finally {
      button.disabled = false;
    }
  }

  return form;
}

/**
 * The MCP server may have sent something else than text.
 *
 * @param {ShownTool} tool
 */
function descriptionOf({ description }) {
  return typeof description === 'string' ? description : '';
}
