// Addresses from elsewhere that may become links.

/** Longer ones are nobody's run. */
const MAX_ADDRESS = 2000;

/** The address of a page in its plain form; null for everything else. */
export function pageAddress(url: string): string | null {
  const parsed = url.length > MAX_ADDRESS ? null : URL.parse(url);
  return parsed !== null && (parsed.protocol === "https:" || parsed.protocol === "http:") ? parsed.href : null;
}
