import { createArgumentField } from './argument-fields.js';
import { element, setChildren } from './element.js';
import { parseExactJson, refuseRounded } from './exact-json.js';

/** @import { ArgumentField } from './argument-fields.js' */
/** @typedef {Readonly<Record<string, unknown>>} Arguments */

const MAX_FIELDS = 100;
/** Members of a schema that fields for `properties` do not express. */
const COMBINATIONS = ['anyOf', 'oneOf', 'allOf', '$ref', 'patternProperties'];

/** The form of a tool's arguments: a field for each, or JSON if the schema is not that simple or the operator prefers it. */
export class ArgumentForm {
  element;
  #fields;
  #isJson;
  #place = element('div', { class: 'fields' });
  #json = element('textarea', { id: 'arguments', rows: 8, class: 'code', spellcheck: 'false' });
  #jsonField = element(
    'div',
    { class: 'field' },
    element('label', { for: 'arguments' }, 'Arguments as JSON'),
    this.#json,
  );
  #switch = element('button', { type: 'button', class: 'plain', click: () => this.#change() });
  #problem = element('p', { class: 'bad', role: 'alert' });

  /** @param {unknown} schema The `inputSchema`, as the MCP server wrote it. */
  constructor(schema) {
    this.#fields = fieldsOf(schema);
    this.#isJson = this.#fields === undefined;
    this.#json.value = '{}';
    this.element = element(
      'div',
      {},
      this.#place,
      this.#fields !== undefined && this.#fields.size > 0 && this.#switch,
      this.#problem,
    );
    this.#show();
  }

  /**
   * Returns the arguments; undefined, and says why, if they are not JSON or cannot be sent exactly.
   *
   * @returns {Arguments | undefined}
   */
  read() {
    try {
      this.#problem.textContent = '';
      const given = this.#isJson ? parseObject(this.#json.value) : this.#readFields();
      refuseRounded(given);
      return given;
    } catch (error) {
      this.#problem.textContent = `The arguments cannot be sent: ${/** @type {Error} */ (error).message}`;
      return undefined;
    }
  }

  #change() {
    const given = this.read();
    if (given === undefined) return;
    this.#isJson = !this.#isJson;
    if (this.#isJson) this.#json.value = JSON.stringify(given, null, 2);
    else
      for (const [name, field] of this.#fields ?? []) field.write(Object.hasOwn(given, name) ? given[name] : undefined);
    this.#show();
  }

  #show() {
    this.#switch.textContent = this.#isJson ? 'Use the fields' : 'Write JSON instead';
    if (this.#isJson) return setChildren(this.#place, this.#jsonField);
    const fields = [...(this.#fields ?? [])].map(([, field]) => field.element);
    setChildren(
      this.#place,
      ...(fields.length > 0 ? fields : [element('p', { class: 'aside' }, 'This tool takes no arguments.')]),
    );
  }

  /** @returns {Arguments} */
  #readFields() {
    const values = [...(this.#fields ?? [])].map(([name, field]) => [name, field.read()]);
    return Object.fromEntries(values.filter(([, value]) => value !== undefined));
  }
}

/**
 * @param {unknown} schema
 * @returns {Map<string, ArgumentField> | undefined} Undefined if fields cannot express the schema.
 */
function fieldsOf(schema) {
  if (!isObject(schema) || schema.type !== 'object') return undefined;
  const { properties = {}, required } = schema;
  const isCombined = COMBINATIONS.some((name) => Object.hasOwn(schema, name));
  if (isCombined || !isObject(properties)) return undefined;
  const fields = Object.entries(properties);
  if (fields.length > MAX_FIELDS || !fields.every(([, property]) => isObject(property))) return undefined;
  const isRequired = (/** @type {string} */ name) => Array.isArray(required) && required.includes(name);
  return new Map(fields.map(([name, property]) => [name, createArgumentField(name, property, isRequired(name))]));
}

/**
 * @param {unknown} value
 * @returns {value is Readonly<Record<string, any>>}
 */
function isObject(value) {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** @param {string} text */
function parseObject(text) {
  const value = parseExactJson(text);
  if (!text.trimStart().startsWith('{')) throw new SyntaxError('an object is needed, such as {}');
  return value;
}
