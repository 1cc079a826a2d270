// Names out of backups in places of the editor that give text a meaning: icons in labels, links in messages. Control characters
// are escaped long before (core's formatName); a name can still be thousands of characters long.

const MAX_LABEL = 200;
const ICON = /\\?\$\([a-z0-9-]+(?:~[a-z0-9-]*)?\)/gi;

/** For labels of lists in which `$(icon)` becomes an icon. */
export function labelText(text: string): string {
  return shortened(text).replace(ICON, (icon) => (icon.startsWith("\\") ? icon : `\\${icon}`));
}

/** A name in a notification. */
export function messageText(text: string): string {
  return withoutLinks(shortened(text));
}

/** A whole sentence for a notification, in which `[text](target)` would become a link. */
export function withoutLinks(text: string): string {
  return text.replaceAll("](", "] (");
}

/** Its beginning and its end. */
export function shortened(text: string, max = MAX_LABEL): string {
  const chars = [...text];
  if (chars.length <= max) return text;
  const kept = Math.floor((max - 1) / 2);
  return `${chars.slice(0, max - 1 - kept).join("")}…${chars.slice(-kept).join("")}`;
}

/** The last name of a path, or the path itself when it has none. */
export function lastName(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1) || path;
}
