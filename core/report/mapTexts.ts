// Every text of a plain value, wherever in it it stands, replaced: numbers, names of members and structure stay what they are.

/** `except`: members with these names are left as they are (pictures are not text). */
export function mapTexts<T>(value: T, change: (text: string) => string, except: readonly string[] = []): T {
  return mapMember(value, change, except) as T;
}

function mapMember(value: unknown, change: (text: string) => string, except: readonly string[]): unknown {
  if (typeof value === "string") return change(value);
  if (Array.isArray(value)) return value.map((element) => mapMember(element, change, except));
  if (typeof value !== "object" || value === null) return value;
  const members = Object.entries(value).map(([name, member]) => {
    return [name, except.includes(name) ? member : mapMember(member, change, except)];
  });
  return Object.fromEntries(members);
}
