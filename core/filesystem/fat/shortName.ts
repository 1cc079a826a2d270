// The 8.3 names of FAT: code page 437, and two bits for names that are lower-case as a whole or in their extension.

/** Code page 437 above ASCII (unicode.org, VENDORS/MICSFT/PC/CP437.TXT). */
const UPPER_HALF =
  "ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜ¢£¥₧ƒáíóúñÑªº¿⌐¬½¼¡«»░▒▓│┤╡╢╖╕╣║╗╝╜╛┐" +
  "└┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀αßΓπΣσµτΦΘΩδ∞φε∩≡±≥≤⌠⌡÷≈°∙·√ⁿ²■\u00a0";

const LOWER_CASE_BASE = 0x08;
const LOWER_CASE_EXTENSION = 0x10;
const SPACE = 0x20;
/** Stands for 0xE5, which as the first byte marks deleted entries. */
const KANJI_LEAD = 0x05;

export function decodeCodePage437(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += byte < 0x80 ? String.fromCharCode(byte) : UPPER_HALF[byte - 0x80];
  return text;
}

function trimmed(bytes: Uint8Array): Uint8Array {
  let length = bytes.length;
  while (length > 0 && bytes[length - 1] === SPACE) length--;
  return bytes.subarray(0, length);
}

/** The name in the first 11 bytes of a directory entry, with the case that byte 12 says. */
export function decodeShortName(entry: Uint8Array): string {
  const raw = entry.slice(0, 11);
  if (raw[0] === KANJI_LEAD) raw[0] = 0xe5;
  const flags = entry[12] as number;
  const base = decodeCodePage437(trimmed(raw.subarray(0, 8)));
  const extension = decodeCodePage437(trimmed(raw.subarray(8)));
  const shownBase = flags & LOWER_CASE_BASE ? base.toLowerCase() : base;
  const shownExtension = flags & LOWER_CASE_EXTENSION ? extension.toLowerCase() : extension;
  return extension === "" ? shownBase : `${shownBase}.${shownExtension}`;
}

/** Of the 11 bytes: every part of the long name carries it. */
export function shortNameChecksum(entry: Uint8Array): number {
  let sum = 0;
  for (let i = 0; i < 11; i++) sum = (((sum & 1) << 7) + (sum >> 1) + (entry[i] as number)) & 0xff;
  return sum;
}
