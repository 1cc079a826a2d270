// Decides between raw and the container formats that we read, by the first bytes alone. Whoever writes a raw disk also
// writes its first bytes: callers that know the format say so, and block devices are never probed.

import { type FileHandle, open } from "node:fs/promises";

export type ImageFormat = "raw" | "qcow2" | "vmdk" | "vhdx" | "vdi";

export const imageFormats: readonly ImageFormat[] = ["raw", "qcow2", "vmdk", "vhdx", "vdi"];

const probeBytes = 512;

/** Undefined when the bytes are those of no container: the file is raw. Sources: the format documents, see each line. */
export function formatOfBytes(head: Uint8Array): Exclude<ImageFormat, "raw"> | undefined {
  if (startsWith(head, "QFI\xfb")) return "qcow2"; // QEMU docs/interop/qcow2.txt, "Header"
  if (startsWith(head, "KDMV")) return "vmdk"; // VMware Virtual Disk Format 5.0, SparseExtentHeader
  if (startsWith(head, "# Disk DescriptorFile")) return "vmdk"; // the same, "The Descriptor"
  if (startsWith(head, "vhdxfile")) return "vhdx"; // [MS-VHDX] 2.2.1
  // VirtualBox VDICore.h, VDI_IMAGE_SIGNATURE, little-endian behind 64 bytes of text
  if (startsWith(head.subarray(64), "\x7f\x10\xda\xbe")) return "vdi";
  return undefined;
}

/** Reads the first bytes of a file and names its format. */
export async function detectFormat(path: string): Promise<ImageFormat> {
  const handle = await open(path, "r");
  try {
    return formatOfBytes(await readHead(handle, 0, probeBytes)) ?? "raw";
  } finally {
    await handle.close();
  }
}

/** Up to `length` bytes from `offset`; fewer at the end of the file. */
export async function readHead(handle: FileHandle, offset: number, length: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(length);
  let filled = 0;
  while (filled < length) {
    const { bytesRead } = await handle.read(bytes, filled, length - filled, offset + filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return bytes.subarray(0, filled);
}

function startsWith(bytes: Uint8Array, magic: string): boolean {
  if (bytes.length < magic.length) return false;
  for (let index = 0; index < magic.length; index++) {
    if (bytes[index] !== magic.charCodeAt(index)) return false;
  }
  return true;
}
