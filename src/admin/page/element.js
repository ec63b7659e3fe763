/** @typedef {Node | string | number | null | undefined | false} Child */
/** @typedef {Readonly<Record<string, string | number | boolean | undefined | ((event: any) => void)>>} Attributes */

/**
 * Creates an element. A child that is a string becomes text, never HTML. An attribute that is a function listens to the event of
 * its name; one that is `false` or `undefined` is left out.
 *
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Attributes} [attributes]
 * @param {readonly Child[]} children
 * @returns {HTMLElementTagNameMap[Tag]}
 */
export function element(tag, attributes = {}, ...children) {
  return fill(document.createElement(tag), attributes, children);
}

/**
 * Creates an element of SVG, likewise.
 *
 * @template {keyof SVGElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Attributes} [attributes]
 * @param {readonly Child[]} children
 * @returns {SVGElementTagNameMap[Tag]}
 */
export function svgElement(tag, attributes = {}, ...children) {
  return fill(document.createElementNS('http://www.w3.org/2000/svg', tag), attributes, children);
}

/**
 * Replaces the children of an element.
 *
 * @param {Element} parent
 * @param {readonly Child[]} children
 */
export function setChildren(parent, ...children) {
  parent.replaceChildren(...nodesOf(children));
}

/**
 * Creates the element of a text that another party chose: isolated from the direction of writing around it, and with invisible
 * characters written as their code points.
 *
 * @param {string} text
 */
export function nameElement(text) {
  return element('bdi', {}, visibleText(text));
}

const MAX_NAME_CHARACTERS = 300;

/** @param {string} text */
export function visibleText(text) {
  const escaped = text
    .slice(0, MAX_NAME_CHARACTERS)
    .replace(/[\p{C}\p{Zl}\p{Zp}\u2800\u3164]/gu, (found) => `\\u{${found.codePointAt(0)?.toString(16)}}`);
  return text.length > MAX_NAME_CHARACTERS ? `${escaped}…` : escaped;
}

/**
 * @template {Element} E
 * @param {E} created
 * @param {Attributes} attributes
 * @param {readonly Child[]} children
 * @returns {E}
 */
function fill(created, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === false) continue;
    if (typeof value === 'function') created.addEventListener(name, value);
    else created.setAttribute(name, value === true ? '' : String(value));
  }
  created.append(...nodesOf(children));
  return created;
}

/** @param {readonly Child[]} children */
function nodesOf(children) {
  return children
    .filter((child) => child !== null && child !== undefined && child !== false)
    .map((child) => (child instanceof Node ? child : String(child)));
}
