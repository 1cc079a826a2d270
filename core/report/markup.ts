// HTML and SVG as values: the only way from text to markup is the `html` template, and it escapes whatever is put into it.

import { inert } from "./inertText.js";

const ENTITIES: Record<string, string> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
  "`": "&#96;",
};

export class Markup {
  readonly source: string;

  /** Nobody but this file makes one from a string. */
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

/** Text is escaped, for between tags and for attributes in double quotes; controls are made visible. */
export function html(strings: TemplateStringsArray, ...contents: Content[]): Markup {
  let source = strings[0] ?? "";
  contents.forEach((content, i) => {
    source += sourceOf(content) + (strings[i + 1] ?? "");
  });
  return Markup.constant(source);
}

export function joined(parts: readonly Markup[]): Markup {
  return Markup.constant(parts.map(({ source }) => source).join(""));
}

function escapeHtml(text: string): string {
  return inert(text).replaceAll(/[&<>"'`]/g, (char) => ENTITIES[char] as string);
}

function sourceOf(content: Content): string {
  if (content instanceof Markup) return content.source;
  if (typeof content === "object") return joined(content).source;
  return escapeHtml(String(content));
}
