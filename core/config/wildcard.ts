// Patterns with * and ? in names and paths, matched in steps in proportion to pattern times text: no regular expression is made of what
// stands in a file.

const MANY = Symbol("any number");
type Pattern<Part> = readonly (Part | typeof MANY)[];

/** `*` stands for any characters, slashes included. */
export function matchesName(pattern: string, name: string): boolean {
  return matches(charactersOf(pattern), [...name], (part, char) => part === char);
}

/** `*` and `?` stay within a name of the path, `**` alone between slashes goes through folders. Both without `./` in front. */
export function matchesPath(pattern: string, path: string): boolean {
  const parts = pattern
    .replace(/^\.\//, "")
    .split("/")
    .map((name) => (name === "**" ? MANY : charactersOf(name)));
  const fits = (part: Pattern<string>, name: string) =>
    matches(part, [...name], (wanted, char) => wanted === "?" || wanted === char);
  return matches(parts, path.replace(/^\.\//, "").split("/"), fits);
}

function charactersOf(text: string): Pattern<string> {
  return [...text].map((char) => (char === "*" ? MANY : char));
}

/** Goes back no further than the last MANY: an earlier one could only take what that one can take as well. */
function matches<Part, Item>(
  pattern: Pattern<Part>,
  items: readonly Item[],
  fits: (part: Part, item: Item) => boolean,
): boolean {
  let [at, item, lastMany, takenByMany] = [0, 0, -1, 0];
  while (item < items.length) {
    const part = pattern[at];
    if (at < pattern.length && part !== MANY && fits(part as Part, items[item] as Item)) {
      at++;
      item++;
    } else if (at < pattern.length && part === MANY) {
      lastMany = at++;
      takenByMany = item;
    } else if (lastMany >= 0) {
      at = lastMany + 1;
      item = ++takenByMany;
    } else {
      return false;
    }
  }
  return pattern.slice(at).every((part) => part === MANY);
}
