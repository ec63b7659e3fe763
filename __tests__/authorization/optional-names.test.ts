import { expect, test } from 'vitest';
import { compileExpression } from '../../src/authorization/expressions/expression.js';
import { expectOutcome, written } from '../support/argument-rules.js';

test('optional values are refused when the rule is compiled', () => {
  expect(() => compileExpression('optional.of(jwt.role).hasValue()')).toThrow(
    expect.objectContaining({ message: 'optional is not a variable; write has(…) or default(…)', position: 0 }),
  );
});

test.each([
  'has(optional.x)',
  'has(optional.x.y)',
  'a.objects.exists(optional, optional.id == 1) && has(optional.id)',
  'a.objects.exists(optional, optional.id == 1) && optional.id == 1',
  'optional.exists(optional, optional == 1)',
  'cel.bind(optional, optional, true)',
])('optional is refused where no macro has introduced it: %s', (text) => {
  expect(() => compileExpression(written(text))).toThrow('optional is not a variable; write has(…) or default(…)');
});

test.each([
  'a.objects.exists(optional, optional.id == 1)',
  'a.objects.all(optional, has(optional.id) && !has(optional.name))',
  'a.ids.exists(optional, [2].exists(optional, optional > 1) && optional == 1)',
  'cel.bind(optional, a.m, optional.a == 1 && has(optional.a))',
  'a.objects.map(optional, optional.id) == a.ids',
])('a macro may call its variable optional: %s', (text) => expectOutcome(text, true));
