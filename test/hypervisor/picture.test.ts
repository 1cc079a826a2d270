import assert from "node:assert/strict";
import { inflateSync } from "node:zlib";
import { decodePpm, encodePng, isBlank, sameAs } from "../../core/hypervisor/picture.js";
import { assertCode } from "../support/assertCode.js";
import { noise } from "../support/sampleBytes.js";

const picture = (width: number, height: number, rgb: Uint8Array = new Uint8Array(width * height * 3)) => ({
  width,
  height,
  rgb,
  png: new Uint8Array(),
});

/** Bytes of the pixels of a PNG whose rows are all filtered with "Up" (RFC 2083, 6.4). */
function pixelsOf(png: Uint8Array, width: number, height: number): Uint8Array {
  const view = new DataView(png.buffer, png.byteOffset, png.byteLength);
  assert.equal(view.getUint32(16), width);
  assert.equal(view.getUint32(20), height);
  const length = view.getUint32(33);
  assert.equal(Buffer.from(png.subarray(37, 41)).toString(), "IDAT");
  const rows = inflateSync(png.subarray(41, 41 + length));
  const rgb = new Uint8Array(width * height * 3);
  for (let row = 0; row < height; row++) {
    const at = row * (width * 3 + 1);
    assert.equal(rows[at], 2);
    for (let index = 0; index < width * 3; index++) {
      const above = row === 0 ? 0 : rgb[(row - 1) * width * 3 + index]!;
      rgb[row * width * 3 + index] = rows[at + 1 + index]! + above;
    }
  }
  return rgb;
}

describe("pictures of a screen", () => {
  it("go from PPM to pixels to PNG", () => {
    const pixels = noise(1, 7 * 5 * 3);
    const ppm = Buffer.concat([Buffer.from("P6\n7 5\n255\n"), pixels]);
    const { width, height, rgb } = decodePpm(ppm);
    assert.deepEqual([width, height], [7, 5]);
    assert.deepEqual(pixelsOf(encodePng(width, height, rgb), 7, 5), Uint8Array.from(pixels));
  });

  it("are refused when they are cut off, too large or none", async () => {
    for (const text of [
      "",
      "P5\n1 1\n255\nabc",
      "P6\n1 1\n255\nab",
      "P6\n1 1\n65535\nabc",
      "P6\n9000 1\n255\n",
      "P6\n8000 8000\n255\n",
    ])
      await assertCode((async () => decodePpm(Buffer.from(text)))(), "SCREENSHOT_INVALID", text);
  });

  it("are blank with a cursor, and not with a line of text", () => {
    const screen = picture(720, 400);
    assert.ok(isBlank(screen));
    screen.rgb.fill(255, 0, 18 * 3);
    assert.ok(isBlank(screen));
    screen.rgb.fill(255, 0, 400 * 3);
    assert.ok(!isBlank(screen));
    assert.ok(!isBlank(picture(64, 64, noise(2, 64 * 64 * 3))));
  });

  it("are the same but for a cursor", () => {
    const [one, other] = [picture(720, 400), picture(720, 400)];
    other.rgb.fill(255, 0, 18 * 3);
    assert.ok(sameAs(one, other));
    other.rgb.fill(255, 0, 400 * 3);
    assert.ok(!sameAs(one, other));
    assert.ok(!sameAs(one, picture(400, 720)));
  });
});
