import { element } from './element.js';
import { durationText } from './format.js';

/** @import { ToolResult } from './page-types.js' */

/** Characters of one text that are shown. More make a browser slow. */
const MAX_CHARACTERS = 100_000;
/** Parts of one answer that are shown. */
const MAX_BLOCKS = 500;
/** SVG is not among them: it is a document. */
const IMAGES = ['image/png', 'image/jpeg', 'image/gif', 'image/webp'];

/**
 * Builds the answer of a tool. Text is never HTML, and images come from the answer itself and not from another server.
 *
 * @param {{ result?: unknown, error?: unknown }} answer
 * @param {number} durationMs
 */
export function toolResultElement({ result: given, error }, durationMs) {
  const result = toolResultIn(given);
  const isGood = result !== undefined && result.isError !== true;
  const heading = isGood ? 'The tool answered' : result ? 'The tool says that it failed' : headingOfFailure(given);
  const content = Array.isArray(result?.content) ? result.content : [];
  const blocks = content.slice(0, MAX_BLOCKS).map(blockElement);
  const structured = result?.structuredContent;
  return element(
    'section',
    { class: `result ${isGood ? 'good' : 'bad'}` },
    element('h3', {}, heading, ' ', element('span', { class: 'aside' }, durationText(durationMs))),
    ...blocks,
    content.length > MAX_BLOCKS && element('p', { class: 'aside' }, `… ${content.length} parts in all`),
    structured !== undefined && element('h4', {}, 'Structured content'),
    structured !== undefined && textElement(jsonText(structured)),
    result === undefined && textElement(given === undefined ? errorText(error) : jsonText(given)),
  );
}

/**
 * Returns a result if it is an object: an MCP server may answer with anything.
 *
 * @param {unknown} given
 * @returns {ToolResult | undefined}
 */
function toolResultIn(given) {
  return typeof given === 'object' && given !== null ? given : undefined;
}

/** @param {unknown} given */
function headingOfFailure(given) {
  return given === undefined ? 'The call failed' : 'The answer is not the result of a tool';
}

/** @param {unknown} block */
function blockElement(block) {
  const { type, text, data, mimeType } = /** @type {Readonly<Record<string, unknown>>} */ (block ?? {});
  if (type === 'text' && typeof text === 'string') return textElement(text);
  const isImage =
    type === 'image' && typeof mimeType === 'string' && IMAGES.includes(mimeType) && typeof data === 'string';
  if (isImage && /^[\w+/=-]+$/.test(data))
    return element('img', { src: `data:${mimeType};base64,${data}`, alt: 'Image of the tool' });
  return textElement(jsonText(block));
}

/** @param {string} text */
function textElement(text) {
  const shown =
    text.length > MAX_CHARACTERS ? `${text.slice(0, MAX_CHARACTERS)}\n… (${text.length} characters in all)` : text;
  return element('pre', { tabindex: 0 }, shown);
}

/** @param {unknown} value */
function jsonText(value) {
  return JSON.stringify(value, null, 2);
}

/** @param {unknown} error */
function errorText(error) {
  if (typeof error === 'string') return error;
  const { message } = /** @type {{ message?: unknown }} */ (error ?? {});
  return typeof message === 'string' ? message : jsonText(error ?? 'no reason given');
}
