// Pictures of a machine's screen: QEMU's plain PPM into pixels, pixels into a PNG, and two questions about them.

import { crc32, deflateSync } from "node:zlib";
import { hypervisorError } from "./hypervisorErrors.js";

export interface Screenshot {
  width: number;
  height: number;
  /** Three bytes a pixel, rows from the top. */
  rgb: Uint8Array;
  png: Uint8Array;
}

/** The guest chooses its resolution. */
const MAX_SIDE = 8192;
const MAX_PIXELS = 16 * 1024 * 1024;
export const MAX_PPM_BYTES = MAX_PIXELS * 3 + 64;
/** A blinking cursor and a little more. */
const FEW_PIXELS = 0.0005;

/** SCREENSHOT_INVALID: no PPM (P6) of 8 bits, cut off, or larger than 16 million pixels. */
export function decodePpm(bytes: Uint8Array): { width: number; height: number; rgb: Uint8Array } {
  const head = new TextDecoder("latin1").decode(bytes.subarray(0, 64));
  const match = /^P6\s(\d{1,5})\s(\d{1,5})\s255\s/.exec(head);
  if (match === null) throw invalid("it is no PPM picture");
  const [width, height] = [Number(match[1]), Number(match[2])];
  if (width < 1 || height < 1 || width > MAX_SIDE || height > MAX_SIDE || width * height > MAX_PIXELS)
    throw invalid(`${width} × ${height} pixels`);
  const rgb = bytes.subarray(match[0].length);
  if (rgb.length !== width * height * 3) throw invalid("it is cut off");
  return { width, height, rgb };
}

/** PNG (RFC 2083), true colour; each row as the difference to the one above. */
export function encodePng(width: number, height: number, rgb: Uint8Array): Uint8Array {
  const rowBytes = width * 3;
  const filtered = new Uint8Array((rowBytes + 1) * height);
  for (let row = 0; row < height; row++) {
    const at = row * (rowBytes + 1);
    filtered[at] = 2; // "Up", RFC 2083 section 6.4
    for (let index = 0; index < rowBytes; index++) {
      const above = row === 0 ? 0 : rgb[(row - 1) * rowBytes + index]!;
      filtered[at + 1 + index] = rgb[row * rowBytes + index]! - above;
    }
  }
  const header = new Uint8Array(13);
  const view = new DataView(header.buffer);
  view.setUint32(0, width);
  view.setUint32(4, height);
  header.set([8, 2, 0, 0, 0], 8);
  const signature = Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a);
  const parts = [chunk("IHDR", header), chunk("IDAT", deflateSync(filtered)), chunk("IEND", new Uint8Array())];
  return Buffer.concat([signature, ...parts]);
}

function chunk(type: string, data: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(12 + data.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, data.length);
  bytes.set(new TextEncoder().encode(type), 4);
  bytes.set(data, 8);
  view.setUint32(8 + data.length, crc32(bytes.subarray(4, 8 + data.length)));
  return bytes;
}

/** All of one colour, but for fewer than one pixel in 2000: a cursor is no picture. */
export function isBlank({ width, height, rgb }: Pick<Screenshot, "width" | "height" | "rgb">): boolean {
  const pixels = width * height;
  const most = majorityColour(rgb, pixels);
  let others = 0;
  for (let index = 0; index < pixels; index++) if (colourAt(rgb, index) !== most) others++;
  return others < pixels * FEW_PIXELS;
}

/** The same but for fewer than one pixel in 2000. */
export function sameAs(one: Screenshot, other: Screenshot): boolean {
  if (one.width !== other.width || one.height !== other.height) return false;
  const pixels = one.width * one.height;
  let different = 0;
  for (let index = 0; index < pixels; index++) {
    if (colourAt(one.rgb, index) !== colourAt(other.rgb, index)) different++;
  }
  return different < pixels * FEW_PIXELS;
}

/** The colour of more than half of all pixels, if there is one (Boyer and Moore's vote). */
function majorityColour(rgb: Uint8Array, pixels: number): number {
  let candidate = -1;
  let votes = 0;
  for (let index = 0; index < pixels; index++) {
    const colour = colourAt(rgb, index);
    if (votes === 0) candidate = colour;
    votes += colour === candidate ? 1 : -1;
  }
  return candidate;
}

function colourAt(rgb: Uint8Array, pixel: number): number {
  const at = pixel * 3;
  return (rgb[at]! << 16) | (rgb[at + 1]! << 8) | rgb[at + 2]!;
}

function invalid(what: string): Error {
  return hypervisorError("SCREENSHOT_INVALID", `QEMU's picture of the screen cannot be used: ${what}`);
}
