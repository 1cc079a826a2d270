// The images that the ext reader is fuzzed with: with and without checksums, which keep most damage from going deep.

import { readFile } from "node:fs/promises";
import { openExt } from "../../../core/filesystem/ext/openExt.js";
import type { FuzzSubject } from "../fuzzReader.js";
import { type ExtKind, extImage } from "./extImages.js";

const kinds: ExtKind[] = ["ext2-fuzz", "ext4-fuzz", "ext4-fuzz-checksums"];

export const extFuzzSubjects: readonly FuzzSubject[] = kinds.map((name) => ({
  name,
  image: async () => new Uint8Array(await readFile((await extImage(name)).path)),
  open: openExt,
}));
