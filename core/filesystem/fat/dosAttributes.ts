// The attribute bits of DOS, the same in FAT, exFAT and NTFS.

import type { NamedBytes } from "../fileSystem.js";

export const ATTRIBUTE = { readOnly: 0x01, hidden: 0x02, system: 0x04, label: 0x08, directory: 0x10 };
const SHOWN = ["readOnly", "hidden", "system"] as const;

/** `dos.attributes`: those of readOnly, hidden, system that are set, with a space between; nothing when none is. */
export function shownAttributes(bits: number): NamedBytes[] {
  const set = SHOWN.filter((name) => (bits & ATTRIBUTE[name]) !== 0);
  return set.length === 0 ? [] : [{ name: "dos.attributes", value: new TextEncoder().encode(set.join(" ")) }];
}
