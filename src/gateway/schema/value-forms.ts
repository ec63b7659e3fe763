import { either, listOf, numberFrom, TEXT, textOfForm } from '../../options/value-type.js';

export { FILE_NAME, IN_FILE, SECRET } from '../../options/value-type.js';

/** A time in agentgateway's form. Its groups are hours, minutes, seconds and milliseconds. */
export const TIME_FORM = /^(?:(\d{1,6})h)?(?:(\d{1,6})m(?!s))?(?:(\d{1,6}(?:\.\d{1,3})?)s)?(?:(\d{1,9})ms)?$/;

export const TIME = textOfForm('time', TIME_FORM);
/** The time of a limit, which may have days. */
export const DURATION = textOfForm('time');

export const PORT = numberFrom(0, 65_535);
export const COUNT = numberFrom(1);

/** One name, or a list of at least one. */
export const NAMES = either(TEXT, listOf(TEXT, 1));

/** agentgateway's names have a namespace. */
export const NAMESPACE = { type: TEXT, otherwise: 'not used here' } as const;
