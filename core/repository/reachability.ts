// Walks everything that snapshots refer to. Pages shared by many snapshots are read once.

import { isAbort, isOurError } from "../errors.js";
import { bytesToHex, hexToBytes, type Sid } from "../format/ids.js";
import { decodeImagePage } from "../format/imageMap.js";
import type { Archive } from "../format/manifest.js";
import { BLOB_ID_BYTES, type BlobKind } from "../format/pack.js";
import { mapConcurrent } from "../platform/concurrency.js";
import type { BlobReader } from "./blobReader.js";
import type { Snapshot } from "./catalog.js";
import { IdTable } from "./idTable.js";
import { ImageReader } from "./imageReader.js";
import { readTreeNode } from "./treeReader.js";

export interface UnreadableMap {
  sid: Sid;
  archive: string;
  /** Bytes of the disk that the unreadable root or page describes; of a file tree all of them. */
  offset: number;
  length: number;
  code: string;
  message: string;
}

export interface ReachabilityVisitor {
  /** Called at least once for each distinct blob. `length` is its plain length where the map tells it, else 0. */
  onBlob(id: Uint8Array, kind: BlobKind, length: number): void;
  /** A part of a map cannot be read: what it refers to is unknown. */
  onUnreadable(problem: UnreadableMap): void;
  onSnapshot?(done: number, total: number): void;
}

export async function visitReachable(
  snapshots: readonly Pick<Snapshot, "sid" | "manifest">[],
  blobs: BlobReader,
  visitor: ReachabilityVisitor,
  signal?: AbortSignal,
): Promise<void> {
  const seen = new IdTable();
  const firstTime = (id: Uint8Array) => seen.insert(id, 0, 0, 0, 0);
  let done = 0;
  for (const { sid, manifest } of snapshots) {
    signal?.throwIfAborted();
    for (const archive of manifest.archives) {
      const id = hexToBytes(archive.root, BLOB_ID_BYTES, "archive root");
      if (archive.kind === "file") visitor.onBlob(id, "file", archive.sizeBytes);
      else if (archive.kind === "tree") await visitTree(sid, archive, id, blobs, visitor, firstTime, signal);
      else if (firstTime(id)) await visitImage(sid, archive, id, blobs, visitor, firstTime, signal);
    }
    visitor.onSnapshot?.(++done, snapshots.length);
  }
}

async function visitImage(
  sid: Sid,
  archive: Archive,
  rootId: Uint8Array,
  blobs: BlobReader,
  visitor: ReachabilityVisitor,
  firstTime: (id: Uint8Array) => boolean,
  signal: AbortSignal | undefined,
): Promise<void> {
  visitor.onBlob(rootId, "root", 0);
  const where = { sid, archive: archive.name };
  const attempt = attemptFor(visitor);
  const image = await attempt(() => ImageReader.open(archive, blobs, signal), {
    ...where,
    offset: 0,
    length: archive.sizeBytes,
  });
  if (image === undefined) return;
  const pages: number[] = [];
  for (let page = 0; page < image.pageCount; page++) {
    const id = image.pageId(page);
    if (id !== null && firstTime(id)) pages.push(page);
  }
  await mapConcurrent(pages, async (page) => {
    const id = image.pageId(page) as Uint8Array;
    const span = image.pageSpan(page);
    visitor.onBlob(id, "page", 0);
    const plain = await attempt(
      async () => {
        const bytes = await blobs.read(id, { signal, cached: true });
        return decodeImagePage(bytes, span.length, `page ${bytesToHex(id)}`);
      },
      { ...where, ...span },
    );
    if (plain === undefined) return;
    let chunk = 0;
    for (const value of plain.lengths) {
      if (value >= 0x8000_0000) continue;
      visitor.onBlob(plain.ids.subarray(chunk * BLOB_ID_BYTES, (chunk + 1) * BLOB_ID_BYTES), "chunk", value);
      chunk++;
    }
  });
}

/** Nodes say what they refer to, whatever they are. One level after the other, so that many are read at once. */
async function visitTree(
  sid: Sid,
  archive: Archive,
  rootId: Uint8Array,
  blobs: BlobReader,
  visitor: ReachabilityVisitor,
  firstTime: (id: Uint8Array) => boolean,
  signal: AbortSignal | undefined,
): Promise<void> {
  const attempt = attemptFor(visitor);
  const where = { sid, archive: archive.name, offset: 0, length: archive.sizeBytes };
  let level = firstTime(rootId) ? [rootId] : [];
  while (level.length > 0) {
    const below: Uint8Array[] = [];
    await mapConcurrent(level, async (id) => {
      visitor.onBlob(id, "tree", 0);
      const node = await attempt(() => readTreeNode(blobs, id, { signal }), where);
      for (const { kind, bytes, id: ref } of node?.refs ?? []) {
        if (kind === "chunk") visitor.onBlob(ref, "chunk", bytes);
        else if (firstTime(ref)) below.push(ref.slice());
      }
    });
    level = below;
  }
}

type Attempt = <T>(read: () => Promise<T>, problem: Omit<UnreadableMap, "code" | "message">) => Promise<T | undefined>;

function attemptFor(visitor: ReachabilityVisitor): Attempt {
  return async (read, problem) => {
    try {
      return await read();
    } catch (error) {
      if (isAbort(error) || !isOurError(error) || error.family === "backend") throw error;
      visitor.onUnreadable({ ...problem, code: error.code, message: error.message });
      return undefined;
    }
  };
}
