// Access control lists: stored by XFS in a form of its own under `trusted.SGI_ACL_…`, shown by Linux, and expected by every
// tool, as `system.posix_acl_…` in the form of posix_acl_xattr.h.

import type { NamedBytes } from "../fileSystem.js";
import { damaged } from "../filesystemErrors.js";
import { viewOf } from "./bigEndian.js";

const publicNames = new Map([
  ["trusted.SGI_ACL_FILE", "system.posix_acl_access"],
  ["trusted.SGI_ACL_DEFAULT", "system.posix_acl_default"],
]);

const STORED_HEADER_BYTES = 4;
const STORED_ENTRY_BYTES = 12;
const PUBLIC_HEADER_BYTES = 4;
const PUBLIC_ENTRY_BYTES = 8;
const PUBLIC_VERSION = 2;
const NO_ID = 0xffff_ffff;
/** Entries that name a user or a group. */
const TAG_USER = 0x02;
const TAG_GROUP = 0x08;

/** Other attributes pass as they are. */
export function convertAccessList(attribute: NamedBytes, where: string): NamedBytes {
  const name = publicNames.get(attribute.name);
  return name === undefined ? attribute : { name, value: toPublicForm(attribute.value, where) };
}

/** Stored: count 4; each tag 4, id 4, permissions 2, filling 2; big-endian. Public: version 4; each 2, 2, 4; little-endian. */
function toPublicForm(stored: Uint8Array, where: string): Uint8Array {
  const from = viewOf(stored);
  const count = stored.length < STORED_HEADER_BYTES ? Number.NaN : from.getUint32(0);
  if (!(STORED_HEADER_BYTES + count * STORED_ENTRY_BYTES <= stored.length)) {
    throw damaged("xfs", where, "has an access control list that does not fit");
  }
  const value = new Uint8Array(PUBLIC_HEADER_BYTES + count * PUBLIC_ENTRY_BYTES);
  const to = viewOf(value);
  to.setUint32(0, PUBLIC_VERSION, true);
  for (let i = 0; i < count; i++) {
    const source = STORED_HEADER_BYTES + i * STORED_ENTRY_BYTES;
    const target = PUBLIC_HEADER_BYTES + i * PUBLIC_ENTRY_BYTES;
    const tag = from.getUint32(source);
    to.setUint16(target, tag, true);
    to.setUint16(target + 2, from.getUint16(source + 8), true);
    to.setUint32(target + 4, tag === TAG_USER || tag === TAG_GROUP ? from.getUint32(source + 4) : NO_ID, true);
  }
  return value;
}
