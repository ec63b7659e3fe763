import { element, nameElement } from './element.js';

/** @import { ArgumentSchema } from './page-types.js' */

/**
 * One argument of a tool. `read` returns undefined for an argument that is left out, and throws `SyntaxError` for text that is not JSON.
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
      const index = values.indexOf(value);
      input.value = index === -1 ? '' : String(index);
    },
  };
}

/**
 * @param {ArgumentSchema} schema
 * @param {boolean} isRequired
 */
function textOf({ maxLength }, isRequired) {
  const input = element('textarea', { rows: 1, required: isRequired, maxlength: boundOf(maxLength) });
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
    min: boundOf(minimum),
    max: boundOf(maximum),
    required: isRequired,
  });
  return {
    input,
    read: () => (input.value === '' ? undefined : input.valueAsNumber),
    write: (/** @type {unknown} */ value) => {
      input.value = typeof value === 'number' ? String(value) : '';
    },
  };
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
    read: () => (input.value.trim() === '' ? undefined : JSON.parse(input.value)),
    write: (/** @type {unknown} */ value) => {
      input.value = value === undefined ? '' : JSON.stringify(value, null, 2);
    },
  };
}

/** @param {unknown} value */
function boundOf(value) {
  return typeof value === 'number' ? value : undefined;
}
