// Whether a text is well-formed XML, as far as our reports use it: elements, attributes, character references.

import assert from "node:assert/strict";

const TOKEN = /<\?xml [^>]*\?>|<(\/?)([A-Za-z][\w.-]*)((?:\s+[\w:.-]+="[^"<]*")*)\s*(\/?)>|[^<]+/gy;

export function assertWellFormedXml(text: string): void {
  const open: string[] = [];
  let at = 0;
  let elements = 0;
  for (const match of text.matchAll(TOKEN)) {
    assert.equal(match.index, at, "no token was left out");
    at += match[0].length;
    assert.doesNotMatch(match[0].replaceAll(/&(amp|lt|gt|quot|apos|#\d+|#x[\da-f]+);/gi, ""), /&/);
    const [, isEnd, name, , isEmpty] = match;
    if (name === undefined) continue;
    elements++;
    if (isEnd === "/") assert.equal(open.pop(), name);
    else if (isEmpty !== "/") open.push(name);
  }
  assert.equal(at, text.length, `an unreadable token at ${text.slice(at, at + 80)}`);
  assert.deepEqual(open, []);
  assert.ok(elements > 0);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: XML 1.0 allows none of them
  assert.doesNotMatch(text, /[\0-\x08\x0b\x0c\x0e-\x1f]/);
}
