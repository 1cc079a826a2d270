// Ethernet frames as QEMU sends them over a stream (`-netdev stream`): four bytes of length, most significant first, then
// the frame. And the little that a hub looks at inside: which IPv4 addresses machines have.

import { formatIpv4 } from "./ipv4Subnet.js";

/** NET_BUFSIZE of QEMU's net/net.h. */
export const MAX_FRAME_BYTES = 4096 + 65_536;
const HEADER_BYTES = 4;

/** Cuts a stream into frames; a length beyond the limit ends the stream. */
export class FrameReader {
  readonly #onFrame: (frame: Uint8Array) => void;
  readonly #onBroken: () => void;
  #rest: Uint8Array = new Uint8Array();
  #isBroken = false;

  constructor(onFrame: (frame: Uint8Array) => void, onBroken: () => void) {
    this.#onFrame = onFrame;
    this.#onBroken = onBroken;
  }

  /** The frames given out include their four bytes of length. */
  feed(chunk: Uint8Array): void {
    if (this.#isBroken) return;
    let bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    while (bytes.length >= HEADER_BYTES) {
      const length = new DataView(bytes.buffer, bytes.byteOffset, HEADER_BYTES).getUint32(0);
      if (length > MAX_FRAME_BYTES) {
        this.#isBroken = true;
        this.#rest = new Uint8Array();
        this.#onBroken();
        return;
      }
      if (bytes.length < HEADER_BYTES + length) break;
      this.#onFrame(bytes.subarray(0, HEADER_BYTES + length));
      bytes = bytes.subarray(HEADER_BYTES + length);
    }
    this.#rest = Uint8Array.from(bytes);
  }
}

export interface FrameSender {
  mac: string;
  /** Null: the frame does not tell, or the sender has none yet. */
  address: string | null;
}

/** Where a frame is to go; null: to all (broadcast and multicast), or it is too short to tell. */
export function receiverOf(frame: Uint8Array): string | null {
  const isToAll = frame.length < HEADER_BYTES + 14 || (frame[HEADER_BYTES]! & 1) === 1;
  return isToAll ? null : formatMac(frame.subarray(HEADER_BYTES, HEADER_BYTES + 6));
}

/** Of a frame with its length before it. Ethernet II; ARP (RFC 826) and IPv4 (RFC 791) without tags. */
export function senderOf(frame: Uint8Array): FrameSender | undefined {
  const bytes = frame.subarray(HEADER_BYTES);
  if (bytes.length < 14) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const mac = formatMac(bytes.subarray(6, 12));
  const type = view.getUint16(12);
  const isArp = type === 0x0806 && bytes.length >= 42 && view.getUint32(14) === 0x00010800;
  const isIpv4 = type === 0x0800 && bytes.length >= 34;
  const address = isArp ? view.getUint32(28) : isIpv4 ? view.getUint32(26) : 0;
  return { mac, address: address === 0 ? null : formatIpv4(address) };
}

/** The address that a DHCP server's answer gives to a card (RFC 2131); undefined for any other frame. */
export function leaseIn(frame: Uint8Array): { mac: string; address: string } | undefined {
  const bytes = frame.subarray(HEADER_BYTES);
  if (bytes.length < 14 + 20 + 8 + 34) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const isUdp = view.getUint16(12) === 0x0800 && bytes[14] === 0x45 && bytes[23] === 17;
  const isAnswer = view.getUint16(34) === 67 && view.getUint16(36) === 68 && bytes[42] === 2;
  const address = view.getUint32(42 + 16);
  if (!isUdp || !isAnswer || address === 0) return undefined;
  return { mac: formatMac(bytes.subarray(42 + 28, 42 + 34)), address: formatIpv4(address) };
}

function formatMac(bytes: Uint8Array): string {
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join(":");
}
