// What two directory entries say about a file of exFAT: attributes, times, where its bytes are.

import type { DosNode } from "../fat/dosNode.js";
import { dosTimeToNs } from "../fat/dosTime.js";
import { damaged } from "../filesystemErrors.js";
import type { ExfatGeometry } from "./bootRegion.js";

export interface ExfatNode extends DosNode {
  /** Bytes from here on were never written: zeros. */
  validBytes: number;
  firstCluster: number;
  /** The clusters are neighbours, and the allocation table says nothing about them. */
  contiguous: boolean;
}

const ALLOCATED = 1;
const CONTIGUOUS = 2;

/** Throws FILESYSTEM_DAMAGED for sizes that the volume cannot have. */
export function decodeNode(file: Uint8Array, stream: Uint8Array, geometry: ExfatGeometry, where: string): ExfatNode {
  const view = new DataView(file.buffer, file.byteOffset, file.length);
  const extent = new DataView(stream.buffer, stream.byteOffset, stream.length);
  const flags = extent.getUint8(1);
  const sizeBytes = Number(extent.getBigUint64(24, true));
  const validBytes = Number(extent.getBigUint64(8, true));
  const firstCluster = extent.getUint32(20, true);
  const { clusterCount, clusterBytes } = geometry;
  const contiguous = (flags & CONTIGUOUS) !== 0;
  const clusters = Math.ceil(sizeBytes / clusterBytes);
  const last = contiguous ? firstCluster + clusters : firstCluster + 1;
  const allocated = (flags & ALLOCATED) !== 0 && firstCluster >= 2 && last <= clusterCount + 2;
  if (clusters > clusterCount || validBytes > sizeBytes || (sizeBytes > 0 && !allocated)) {
    throw damaged("exfat", where, "sizes or clusters that the volume cannot hold", {
      sizeBytes,
      validBytes,
      firstCluster,
    });
  }
  return {
    attributes: view.getUint16(4, true),
    sizeBytes,
    validBytes,
    firstCluster,
    contiguous,
    createdAtNs: decodeTime(view, 8, view.getUint8(20), view.getUint8(22)),
    modifiedAtNs: decodeTime(view, 12, view.getUint8(21), view.getUint8(23)),
    accessedAtNs: decodeTime(view, 16, 0, view.getUint8(24)),
  };
}

/** `zone`: bit 7 says whether the rest counts: quarters of an hour, signed. Without it, the time counts as UTC. */
function decodeTime(view: DataView, at: number, hundredths: number, zone: number): bigint | null {
  const quarters = (zone & 0x80) === 0 ? 0 : ((zone & 0x7f) << 25) >> 25;
  return dosTimeToNs(view.getUint16(at + 2, true), view.getUint16(at, true), hundredths, quarters * 15);
}
