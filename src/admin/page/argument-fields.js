import { element, nameElement } from './element.js';
import { exactNumber, numberIn, parseExactJson } from './exact-json.js';

/** @import { ArgumentSchema } from './page-types.js' */

/**
 * One argument of a tool. `read` returns undefined for an argument that is left out, and throws `SyntaxError` for text that is not JSON or no number.
 *
 * @typedef {{ element: HTMLElement, read(): unknown, write(value: unknown): void }} ArgumentField
 */

/** Values of an `enum` that the operator can choose from. More are written. */
const MAX_CHOICES = 1_000;

let count = 0;

/**
 * @param {string} name
 * @param {ArgumentSchema} schema
 * @param {boolean} isRequired
 * @returns {ArgumentField}
 */
export function createArgumentField(name, schema, isRequired) {
  const id = `argument-${++count}`;
  const { input, read, write } = inputFor(schema, isRequired);
  input.id = id;
  const { description, default: preset } = schema;
  const hint = typeof description === 'string' && element('p', { class: 'aside', id: `${id}-hint` }, description);
  if (hint) input.setAttribute('aria-describedby', hint.id);
  if (preset !== undefined) write(preset);
  const label = element(
    'label',
    { for: id },
    nameElement(name),
    isRequired && element('span', { class: 'aside' }, ' (required)'),
  );
  return { element: element('div', { class: 'field' }, label, input, hint), read, write };
}

/**
 * @param {ArgumentSchema} schema
 * @param {boolean} isRequired
 */
function inputFor(schema, isRequired) {
  if (Array.isArray(schema.enum) && schema.enum.length <= MAX_CHOICES) return choiceOf(schema.enum, isRequired);
  if (schema.type === 'boolean') return choiceOf([true, false], isRequired);
  if (schema.type === 'string') return textOf(schema, isRequired);
  if (schema.type === 'number' || schema.type === 'integer') return numberOf(schema, isRequired);
  return jsonOf(isRequired);
}

/**
 * @param {readonly unknown[]} values
 * @param {boolean} isRequired
 */
function choiceOf(values, isRequired) {
  const texts = values.map((value) => (typeof value === 'string' ? value : JSON.stringify(value)));
  const options = texts.map((text, index) => element('option', { value: index }, text));
  const input = element(
    'select',
    { required: isRequired },
    element('option', { value: '' }, '(not given)'),
    ...options,
  );
  return {
    input,
    read: () => (input.value === '' ? undefined : values[Number(input.value)]),
    write: (/** @type {unknown} */ value) => {
      const text = JSON.stringify(value);
      const index = values.findIndex((each) => JSON.stringify(each) === text);
      input.value = index === -1 ? '' : String(index);
    },
  };
}

/**
 * @param {ArgumentSchema} schema
 * @param {boolean} isRequired
 */
function textOf({ maxLength }, isRequired) {
  const input = element('textarea', { rows: 1, required: isRequired, maxlength: numberIn(maxLength) });
  return {
    input,
    read: () => (input.value === '' && !isRequired ? undefined : input.value),
    write: (/** @type {unknown} */ value) => {
      input.value = typeof value === 'string' ? value : '';
    },
  };
}

/**
 * @param {ArgumentSchema} schema
 * @param {boolean} isRequired
 */
function numberOf({ type, minimum, maximum }, isRequired) {
  const step = type === 'integer' ? 1 : 'any';
  const input = element('input', {
    type: 'number',
    step,
    min: numberIn(minimum),
    max: numberIn(maximum),
    required: isRequired,
  });
  return {
    input,
    read: () => {
      // The browser gives no text then, for example for 1e400.
      if (input.validity.badInput)
        throw new SyntaxError('a field for a number has another text, or too large a number');
      return input.value === '' ? undefined : exactNumber(jsonNumber(input.value));
    },
    write: (/** @type {unknown} */ value) => {
      input.value = numberIn(value) === undefined ? '' : JSON.stringify(value);
    },
  };
}

/**
 * HTML allows zeros before a number, and a number that begins with its point.
 *
 * @param {string} text
 */
function jsonNumber(text) {
  return text.replace(/^(-?)0+(?=\d)/, '$1').replace(/^(?<sign>-?)\./, '$<sign>0.');
}

/** @param {boolean} isRequired */
function jsonOf(isRequired) {
  const input = element('textarea', {
    rows: 3,
    class: 'code',
    required: isRequired,
    placeholder: 'JSON',
    spellcheck: 'false',
  });
  return {
    input,
    read: () => (input.value.trim() === '' ? undefined : parseExactJson(input.value)),
    write: (/** @type {unknown} */ value) => {
      input.value = value === undefined ? '' : JSON.stringify(value, null, 2);
    },
  };
}
