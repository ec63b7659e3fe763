import { expect, test } from 'vitest';
import { durationText } from '../../src/doctor/duration-text.js';

test.each([
  [0, '0 seconds'],
  [1, '1 second'],
  [1.9, '1 second'],
  [119, '119 seconds'],
  [120, '2 minutes'],
  [180, '3 minutes'],
  [7_199, '119 minutes'],
  [7_200, '2 hours'],
  [86_400, '24 hours'],
  [3 * 86_400 - 1, '2 days'],
  [800 * 86_400, '2 years'],
])('%d seconds are %s', (seconds, text) => {
  expect(durationText(seconds)).toBe(text);
});
