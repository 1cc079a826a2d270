// Text from elsewhere in a place that reads Markdown.

/** Lines as paragraphs: no links, images or icons of their own. */
export function plainMarkdown(lines: readonly string[]): string {
  const plain = (line: string) => line.replaceAll(/[\\`*_{}[\]()#+\-.!<>|~$&]/g, "\\$&").replaceAll(/\s+/g, " ");
  return lines.map(plain).join("\n\n");
}
