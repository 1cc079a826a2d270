// Names in git are bytes. Those that are UTF-8 become text; a byte that is none becomes a lone half surrogate (U+DC80 to U+DCFF, as Python's
// surrogateescape does), so that different names stay different, and their folders stay readable.

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

export function pathFromBytes(bytes: Uint8Array): string {
  try {
    return decoder.decode(bytes);
  } catch {
    return lossless(bytes);
  }
}

/** The inverse of pathFromBytes. */
export function pathToBytes(path: string): Uint8Array {
  const encoder = new TextEncoder();
  const bytes: number[] = [];
  for (const char of path) {
    const code = char.codePointAt(0)!;
    if (code >= 0xdc80 && code <= 0xdcff) bytes.push(code - 0xdc00);
    else bytes.push(...encoder.encode(char));
  }
  return Uint8Array.from(bytes);
}

function lossless(bytes: Uint8Array): string {
  let text = "";
  for (let at = 0; at < bytes.length; ) {
    const length = characterLength(bytes, at);
    if (length === 0) text += String.fromCharCode(0xdc00 + bytes[at]!);
    else text += decoder.decode(bytes.subarray(at, at + length));
    at += Math.max(1, length);
  }
  return text;
}

/** 0: no whole character begins here. */
function characterLength(bytes: Uint8Array, at: number): number {
  const first = bytes[at]!;
  const length = first < 0x80 ? 1 : first < 0xc2 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : first < 0xf5 ? 4 : 0;
  if (length === 0 || at + length > bytes.length) return 0;
  try {
    decoder.decode(bytes.subarray(at, at + length));
    return length;
  } catch {
    return 0;
  }
}
