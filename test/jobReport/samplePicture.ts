// The screen of a machine that waits for a login, drawn in dots.

import { encodePng } from "../../core/hypervisor/picture.js";

const WIDTH = 720;
const HEIGHT = 400;
const DOT = 3;
/** Three columns by five rows, from the top left. */
const GLYPHS: Record<string, string> = {
  ...{ a: "010101111101101", b: "110101110101110", d: "110101101101110", e: "111100110100111", g: "011100101101011" },
  ...{ i: "111010010010111", l: "100100100100111", n: "110101101101101", o: "010101101101010", s: "011100010001110" },
  ...{ t: "111010010010010", u: "101101101101111", w: "101101111111101", y: "101101010010010", r: "110101110101101" },
  ...{ v: "101101101101010", c: "011100100100011", p: "110101110100100", k: "101101110101101", f: "111100110100100" },
  ...{
    "1": "010110010010111",
    "2": "110001010100111",
    "3": "110001010001110",
    ":": "000010000010000",
    "/": "001001010100100",
  },
  ...{
    "[": "110100100100110",
    "]": "011001001001011",
    ".": "000000000000010",
    h: "101101111101101",
    m: "101111111101101",
  },
};
const LINES = [
  "[ ok ] started postgresql.",
  "[ ok ] started nginx.",
  "[ ok ] reached target multi user.",
  "",
  "debian 13 web1 tty1",
  "",
  "web1 login: ",
];

let drawn: string | null = null;

export function screenshotBase64(): string {
  drawn ??= drawScreen();
  return drawn;
}

function drawScreen(): string {
  const rgb = new Uint8Array(WIDTH * HEIGHT * 3);
  LINES.forEach((line, row) => {
    [...line].forEach((char, column) => {
      drawGlyph(rgb, GLYPHS[char], 24 + column * 4 * DOT, 28 + row * 8 * DOT);
    });
  });
  return Buffer.from(encodePng(WIDTH, HEIGHT, rgb)).toString("base64");
}

function drawGlyph(rgb: Uint8Array, glyph: string | undefined, left: number, top: number): void {
  for (let dot = 0; dot < 15; dot++) {
    if (glyph?.[dot] !== "1") continue;
    const [x, y] = [left + (dot % 3) * DOT, top + Math.floor(dot / 3) * DOT];
    for (let row = y; row < y + DOT; row++) rgb.fill(0xc8, (row * WIDTH + x) * 3, (row * WIDTH + x + DOT) * 3);
  }
}
