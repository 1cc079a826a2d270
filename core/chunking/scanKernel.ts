// Starts the WebAssembly kernel of kernel/scan.ts. Pure: it uses the global WebAssembly and nothing else, and declares
// the few members it needs because the pure configuration has no types for it.

import { scanKernelBase64 } from "./scanKernel.generated.js";

/** Where the kernel expects the gear table, and the first byte that is the caller's. */
const TABLE_OFFSET = 1024;
export const KERNEL_DATA_OFFSET = 65536;
const PAGE_BYTES = 65536;

export interface ScanKernel {
  memory: { readonly buffer: ArrayBuffer; grow(pages: number): number };
  findCut(
    offset: number,
    length: number,
    minBytes: number,
    averageBytes: number,
    maxBytes: number,
    averageBits: number,
  ): number;
  zeroPrefix(offset: number, length: number): number;
  dataPrefix(offset: number, length: number): number;
}

interface WasmGlobal {
  WebAssembly: {
    Module: new (bytes: Uint8Array) => object;
    Instance: new (module: object, imports: object) => { exports: unknown };
  };
}

let compiled: object | undefined;

/** A kernel with a memory of its own: the table is in place, `dataBytes` bytes from KERNEL_DATA_OFFSET are zero. */
export function startScanKernel(table: BigUint64Array, dataBytes: number): ScanKernel {
  const { WebAssembly } = globalThis as unknown as WasmGlobal;
  compiled ??= new WebAssembly.Module(decodeBase64(scanKernelBase64));
  const kernel = new WebAssembly.Instance(compiled, {}).exports as ScanKernel;
  kernel.memory.grow(Math.ceil(dataBytes / PAGE_BYTES));
  const view = new DataView(kernel.memory.buffer);
  table.forEach((word, entry) => {
    view.setBigUint64(TABLE_OFFSET + 8 * entry, word, true);
  });
  return kernel;
}

const BASE64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

function decodeBase64(text: string): Uint8Array {
  const digits = text.replace(/=+$/, "");
  const bytes = new Uint8Array(Math.floor((digits.length * 3) / 4));
  let pending = 0;
  let bits = 0;
  let written = 0;
  for (const digit of digits) {
    pending = ((pending << 6) | BASE64.indexOf(digit)) & 0xffff;
    bits += 6;
    if (bits >= 8) {
      bits -= 8;
      bytes[written] = (pending >>> bits) & 0xff;
      written += 1;
    }
  }
  return bytes;
}
