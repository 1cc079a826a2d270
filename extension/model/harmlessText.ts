// Text of backups (names of files, messages with them) for places where the editor gives some of it a meaning.

/** For notifications: these make links out of `[text](command:…)`, and a file may be named like that. */
export function withoutLinks(text: string): string {
  return text.replaceAll(/\]\s*\(/g, "] \u200b(");
}

/** For quick picks: these draw `$(name)` as an icon. */
export function withoutIcons(text: string): string {
  return text.replaceAll("$(", "\\$(");
}
