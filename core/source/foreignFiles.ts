// An image can name other files of the host (backing file, data file, extents), and opening it would read them: a guest
// that writes such a header could have any file backed up. So images that reach outside are refused unless allowed. The
// headers are read here first, because merely asking qemu-img about an image opens its data file.

import { lstat, open } from "node:fs/promises";
import { basename, dirname, extname, join } from "node:path";
import { firstLine, runTool } from "../platform/tool.js";
import { formatOfBytes, type ImageFormat, readHead } from "./imageFormat.js";
import { sourceFailed } from "./sourceErrors.js";

type ContainerFormat = Exclude<ImageFormat, "raw">;

/** qemu reads at most this much of a descriptor (block/vmdk.c, vmdk_read_desc). */
const maxDescriptorBytes = 1024 * 1024;
/** Where qemu looks for the descriptor of a sparse extent, and how much of it we search. */
const embeddedDescriptor = { offset: 512, bytes: 20 * 1024 };

/**
 * SOURCE_FOREIGN_FILES when the image needs another file than itself; for a VMDK descriptor, files beside it whose names
 * start with its own (`disk.vmdk`, `disk-flat.vmdk`) are its own. SOURCE_DAMAGED when the image is not of the format,
 * SOURCE_ENCRYPTED when its contents cannot be read without a secret.
 */
export async function refuseForeignFiles(path: string, format: ContainerFormat, signal?: AbortSignal): Promise<void> {
  await inspectHeader(path, format);
  await inspectByQemu(path, format, signal);
}

async function inspectHeader(path: string, format: ContainerFormat): Promise<void> {
  const handle = await open(path, "r");
  try {
    const head = await readHead(handle, 0, 4096);
    if (formatOfBytes(head) !== format) throw damaged(path, format, "the header is that of another format");
    if (format === "qcow2") inspectQcow2(path, head);
    if (format !== "vmdk") return;
    if (head[0] === 0x23) await inspectDescriptor(path, text(await readHead(handle, 0, maxDescriptorBytes)));
    else
      inspectSparseVmdk(path, head, text(await readHead(handle, embeddedDescriptor.offset, embeddedDescriptor.bytes)));
  } finally {
    await handle.close();
  }
}

/** QEMU docs/interop/qcow2.txt: backing file at byte 8, encryption at 32, incompatible features at 72 (version 3). */
function inspectQcow2(path: string, head: Uint8Array): void {
  if (head.length < 104) throw damaged(path, "qcow2", "the header is cut off");
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
  if (view.getBigUint64(8) !== 0n) throw foreign(path, "a backing file");
  if (view.getUint32(32) !== 0) throw encrypted(path);
  const hasFeatures = view.getUint32(4) >= 3;
  if (hasFeatures && (view.getBigUint64(72) & 4n) !== 0n) throw foreign(path, "an external data file");
}

function inspectSparseVmdk(path: string, head: Uint8Array, descriptor: string): void {
  if (head.length < 20) throw damaged(path, "vmdk", "the header is cut off");
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
  // Without a capacity the embedded descriptor lists extents, as a descriptor file does.
  if (view.getBigUint64(12, true) === 0n) throw foreign(path, "extents in other files");
  if (descriptor.includes("parentFileNameHint")) throw foreign(path, "a parent disk");
}

async function inspectDescriptor(path: string, descriptor: string): Promise<void> {
  if (descriptor.includes("parentFileNameHint")) throw foreign(path, "a parent disk");
  for (const line of descriptor.split("\n")) {
    const isSetting = /^\s*[\w.]+\s*=/.test(line);
    if (isSetting || !line.includes('"')) continue;
    const extent = /^\s*\S+\s+\d+\s+\S+\s+"([^"\r]*)"/.exec(line);
    if (extent === null) throw damaged(path, "vmdk", "a line of the descriptor makes no sense");
    await checkExtent(path, extent[1]!);
  }
}

async function checkExtent(path: string, name: string): Promise<void> {
  const stem = basename(path, extname(path));
  if (/[/:]/.test(name) || !name.startsWith(`${stem}-`)) throw foreign(path, `the extent "${firstLine(name)}"`);
  const stats = await lstat(join(dirname(path), name)).catch(() => undefined);
  if (stats === undefined) throw damaged(path, "vmdk", `its extent ${firstLine(name)} is missing`);
  if (!stats.isFile()) throw foreign(path, `the extent "${firstLine(name)}", which is not a plain file`);
}

/** The parts of `qemu-img info --output=json` that tell of other files. */
interface ImageInfo {
  "backing-filename"?: unknown;
  encrypted?: unknown;
  "format-specific"?: { data?: { "data-file"?: unknown; extents?: { filename?: unknown }[] } };
}

/** A second opinion from the program that will open the image: it may read a header otherwise than we did. */
async function inspectByQemu(path: string, format: ContainerFormat, signal?: AbortSignal): Promise<void> {
  const result = await runTool("qemu-img", ["info", "--output=json", "-U", "-f", format, path], { signal });
  if (result.exitCode !== 0) throw damaged(path, format, firstLine(result.stderr));
  const info = JSON.parse(result.stdout) as ImageInfo;
  if (info["backing-filename"] !== undefined) throw foreign(path, "a backing file");
  if (info.encrypted === true) throw encrypted(path);
  const specific = info["format-specific"]?.data;
  if (specific?.["data-file"] !== undefined) throw foreign(path, "an external data file");
  for (const { filename } of specific?.extents ?? []) {
    const name = String(filename);
    if (name === path) continue;
    if (dirname(name) !== dirname(path)) throw foreign(path, `the extent "${firstLine(name)}"`);
    await checkExtent(path, basename(name));
  }
}

function foreign(path: string, what: string): Error {
  return sourceFailed("SOURCE_FOREIGN_FILES", `${path} needs ${what}`, {
    data: { path },
    hint: "allow backing files if you trust whoever wrote this image, or flatten it with qemu-img convert",
  });
}

function encrypted(path: string): Error {
  return sourceFailed("SOURCE_ENCRYPTED", `${path} is encrypted`, {
    data: { path },
    hint: "back it up as raw: the encrypted bytes are then stored as they are",
  });
}

function damaged(path: string, format: ContainerFormat, why: string): Error {
  return sourceFailed("SOURCE_DAMAGED", `${path} cannot be read as ${format}: ${why}`, {
    data: { path, format },
    hint: "check it with qemu-img check, or name its real format",
  });
}

function text(bytes: Uint8Array): string {
  return new TextDecoder("latin1").decode(bytes);
}
