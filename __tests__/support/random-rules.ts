import fc from 'fast-check';

const NAMES = ['s', 'n', 'l', 'o', 'b', 'missing', 'constructor', '__proto__'];
const TEXTS = ['""', '"a"', '"echo"', '"äö𝄞"', '"constructor"'];

interface Grammar {
  readonly bool: string;
  readonly text: string;
  readonly number: string;
  readonly list: string;
  readonly path: string;
}

/** Functions that take long with long texts or lists. The library's own are not bounded, so they are not compared with it. */
const COSTLY = [
  'matches("(a|b)*c")',
  'matches("^(a+)+$")',
  'lowerAscii().contains("b")',
  'split("a").exists(y, y == "b")',
];

/** Random expressions that are true or false, if they do not fail. `costly`: with functions that the library alone does not bound. */
export function randomExpressions({ costly = false, depth = 4 } = {}): fc.Arbitrary<string> {
  const { bool: root } = fc.letrec<Grammar>((tie) => {
    const join = (template: string, ...parts: fc.Arbitrary<string>[]) =>
      fc
        .tuple(...parts)
        .map((values) => values.reduce((text, value, i) => text.replaceAll(`$${i}`, () => value), template));
    const [bool, text] = [tie('bool'), tie('text')] as [fc.Arbitrary<string>, fc.Arbitrary<string>];
    const [number, list] = [tie('number'), tie('list')] as [fc.Arbitrary<string>, fc.Arbitrary<string>];
    const path = fc
      .tuple(
        fc.constantFrom('jwt', 'mcp.tool.arguments'),
        fc.constantFrom(...NAMES),
        fc.constantFrom('', '.s', '["l"]', '[0]'),
      )
      .map(([root, name, rest]) => `${root}.${name}${rest}`);
    const deep = { depthSize: 'medium', maxDepth: depth } as const;
    return {
      path,
      text: fc.oneof(
        deep,
        fc.constantFrom(...TEXTS, 'mcp.tool.name'),
        path,
        join('($0 + $1)', text, text),
        join('string($0)', number),
      ),
      number: fc.oneof(
        deep,
        fc.constantFrom('0', '1', '-5', '1.5', '9007199254740991'),
        path,
        join('($0 + $1)', number, number),
        join('size($0)', list),
      ),
      list: fc.oneof(
        deep,
        path,
        fc.constantFrom('[]', '[1, "a"]', '["a", "echo"]'),
        join('$0.map(x, x)', path),
        join('$0.filter(x, $1)', path, bool),
        join('($0 + $1)', list, list),
      ),
      bool: fc.oneof(
        deep,
        fc.constantFrom('true', 'false', 'has(mcp.prompt)', 'mcp.prompt.name == "a"'),
        join('$0 == $1', text, text),
        join('$0 != $1', path, path),
        join('$0 < $1', number, number),
        join('$0 in $1', text, list),
        join('$0.startsWith($1)', text, text),
        join('$0.endsWith($1)', text, text),
        ...(costly ? COSTLY.map((method) => join(`$0.${method}`, text)) : []),
        fc.constantFrom(...NAMES).map((name) => `has(jwt.${name})`),
        join('($0 && $1)', bool, bool),
        join('($0 || $1)', bool, bool),
        join('!($0)', bool),
        join('($0 ? $1 : $2)', bool, bool, bool),
        join('$0.exists(x, x == $1 || $2)', list, text, bool),
        join('$0.all(x, x != $1 && $2)', path, text, bool),
      ),
    };
  });
  return root;
}

/** Random members under the names that random expressions read. `rounded`: also whole numbers beyond 2^53. */
export function randomMembers({ rounded = true } = {}): fc.Arbitrary<Record<string, unknown>> {
  const scalar = fc.oneof(
    fc.constantFrom('', 'a', 'echo', 'constructor'),
    fc.integer({ min: -5, max: 5 }),
    fc.constantFrom(1.5, -0, ...(rounded ? [2 ** 53, 1e300] : [])),
    fc.boolean(),
    fc.constant(null),
  );
  const value = fc.oneof(scalar, fc.array(scalar, { maxLength: 4 }), fc.dictionary(fc.constantFrom(...NAMES), scalar));
  return fc.dictionary(fc.constantFrom(...NAMES), value, { noNullPrototype: true });
}
