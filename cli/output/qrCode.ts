import { renderUnicodeCompact } from "uqr";
import { type Line, styled } from "./text.js";

/** A QR code of block characters, two modules high each. Modules are light blocks on a dark ground. */
export function qrLines(text: string): Line[] {
  return renderUnicodeCompact(text, { ecc: "M", border: 2 })
    .split("\n")
    .map((line) => ["  ", styled("qr", line)]);
}
