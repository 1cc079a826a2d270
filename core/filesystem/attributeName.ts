// Names of extended attributes: text for nearly all, and bytes that are no UTF-8 for the rest, which must come back as they were.

import type { NamedBytes } from "./fileSystem.js";
import { formatName } from "./nameText.js";

const strictDecoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** The fields of an attribute that say its name. `bytes` is copied where it is kept. */
export function attributeName(bytes: Uint8Array): Pick<NamedBytes, "name" | "nameBytes"> {
  try {
    return { name: strictDecoder.decode(bytes) };
  } catch {
    return { name: formatName(bytes), nameBytes: bytes.slice() };
  }
}

/** As the system wants it. */
export function attributeNameBytes({ name, nameBytes }: Pick<NamedBytes, "name" | "nameBytes">): Uint8Array {
  return nameBytes ?? new TextEncoder().encode(name);
}

/** `space` in front of a name, as `user.`. */
export function attributeNameIn(space: string, name: Uint8Array): Pick<NamedBytes, "name" | "nameBytes"> {
  const prefix = new TextEncoder().encode(space);
  const whole = new Uint8Array(prefix.length + name.length);
  whole.set(prefix);
  whole.set(name, prefix.length);
  return attributeName(whole);
}
