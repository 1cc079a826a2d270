// HTML and SVG as values: the only way from text to markup is the `html` template, and it escapes whatever is put into it.

const ENTITIES: Record<string, string> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };

export class Markup {
  readonly source: string;

  private constructor(source: string) {
    this.source = source;
  }

  static readonly empty = new Markup("");

  /** For constants of ours: never with anything from elsewhere in it. */
  static constant(source: string): Markup {
    return new Markup(source);
  }
}

type Content = Markup | string | number | readonly Markup[];

/** Text is escaped, for between tags and for attributes in double quotes; controls and direction marks are made visible. */
export function html(strings: TemplateStringsArray, ...contents: Content[]): Markup {
  const source = strings.map((text, i) => text + (i < contents.length ? sourceOf(contents[i] as Content) : ""));
  return Markup.constant(source.join(""));
}

function sourceOf(content: Content): string {
  if (content instanceof Markup) return content.source;
  if (typeof content === "object") return content.map(({ source }) => source).join("");
  return escapeHtml(String(content));
}

function escapeHtml(text: string): string {
  return text
    .replaceAll(/[\p{Cc}\u200e\u200f\u2028-\u202e\u2066-\u2069]/gu, "\ufffd")
    .replaceAll(/[&<>"']/g, (char) => ENTITIES[char] as string);
}
