// Names of files as text: bytes that are not UTF-8 and characters that a terminal would obey are written `\xNN`, a backslash
// as `\\`.

const BACKSLASH = 0x5c;
const encoder = new TextEncoder();
const strictDecoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
/** Controls, line and paragraph separators, and what is invisible or reorders text: all that would be escaped in output. */
const UNSAFE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\\]/gu;

/** A name as text that is safe to print and that parseTreePath reads back. */
export function formatName(name: Uint8Array): string {
  try {
    return strictDecoder.decode(name).replace(UNSAFE, (char) => escapeBytes(encoder.encode(char)));
  } catch {
    return Array.from(name, (byte) =>
      byte >= 0x20 && byte < 0x7f && byte !== BACKSLASH ? String.fromCharCode(byte) : escapeBytes([byte]),
    ).join("");
  }
}

function escapeBytes(bytes: Iterable<number>): string {
  const list = [...bytes];
  if (list.length === 1 && list[0] === BACKSLASH) return "\\\\";
  return list.map((byte) => `\\x${byte.toString(16).padStart(2, "0")}`).join("");
}
