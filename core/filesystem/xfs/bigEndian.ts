// Fields of XFS structures: big-endian, except checksums. Not for anything else.

export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** Exact up to 2^53; above, an approximation that still fails every comparison with a limit. */
export function uint64At(view: DataView, at: number): number {
  return view.getUint32(at) * 0x1_0000_0000 + view.getUint32(at + 4);
}
