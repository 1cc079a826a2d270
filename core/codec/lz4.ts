// LZ4 blocks in the raw format, by the WebAssembly of lz4-wasm, whose own JavaScript only works in bundlers. It puts a
// u32 size before the block and trusts it when it reads: that prefix is never stored, and written here from a length
// that was checked. Compressing and decompressing use separate instances, so that hostile input, should it upset the
// decoder's memory, can never reach what is written; an instance that failed is thrown away.

import { RepriseError } from "../errors.js";
import { codecFailed } from "./codecFailed.js";
import { lz4WasmBase64 } from "./lz4Wasm.generated.js";

interface Lz4Exports {
  memory: { readonly buffer: ArrayBuffer };
  compress(result: number, input: number, length: number): void;
  decompress(result: number, input: number, length: number): void;
  __wbindgen_add_to_stack_pointer(bytes: number): number;
  __wbindgen_malloc(bytes: number): number;
  __wbindgen_free(address: number, bytes: number): void;
}

interface WasmGlobal {
  WebAssembly: {
    Module: new (bytes: Uint8Array) => object;
    Instance: new (module: object, imports: Record<string, object>) => { exports: unknown };
  };
}

const PREFIX_BYTES = 4;
/** Address, length, error handle and error flag, as wasm-bindgen returns a result. */
const RESULT_BYTES = 16;
/** No byte of a block stands for more than 255 plain bytes; the constant covers very short blocks. */
const MAX_EXPANSION = 255;
const EXPANSION_SLACK_BYTES = 64;

let compiled: object | undefined;
let compressor: Lz4Exports | undefined;
let decompressor: Lz4Exports | undefined;

/** A raw block; may be longer than the input. */
export function compressLz4(plain: Uint8Array): Uint8Array {
  compressor ??= startLz4();
  try {
    const prefixed = callLz4(compressor, "compress", plain.length, (input) => input.set(plain));
    return prefixed.subarray(PREFIX_BYTES);
  } catch (error) {
    compressor = undefined;
    throw new RepriseError("invariant", "LZ4_FAILED", `lz4: ${plain.length} bytes were not compressed`, {
      data: { plainLength: plain.length },
      cause: error,
    });
  }
}

/** Exactly `plainLength` bytes, or `CODEC_FAILED`. The caller has checked that plainLength is bearable. */
export function decompressLz4(stored: Uint8Array, plainLength: number): Uint8Array {
  const storedLength = stored.length;
  if (plainLength > storedLength * MAX_EXPANSION + EXPANSION_SLACK_BYTES)
    throw codecFailed("lz4", "so few bytes cannot hold so many", { plainLength, storedLength });
  decompressor ??= startLz4();
  let plain: Uint8Array;
  try {
    plain = callLz4(decompressor, "decompress", PREFIX_BYTES + storedLength, (input) => {
      new DataView(input.buffer, input.byteOffset).setUint32(0, plainLength, true);
      input.set(stored, PREFIX_BYTES);
    });
  } catch (error) {
    decompressor = undefined;
    throw codecFailed("lz4", "the block is invalid", { plainLength, storedLength }, error);
  }
  if (plain.length !== plainLength)
    throw codecFailed("lz4", "the length differs", { plainLength, actual: plain.length });
  return plain;
}

/** One call as wasm-bindgen wants it. The callee frees the input; a failure leaves the instance unusable. */
function callLz4(
  lz4: Lz4Exports,
  operation: "compress" | "decompress",
  inputLength: number,
  fill: (input: Uint8Array) => void,
): Uint8Array {
  const result = lz4.__wbindgen_add_to_stack_pointer(-RESULT_BYTES);
  const input = lz4.__wbindgen_malloc(inputLength);
  fill(new Uint8Array(lz4.memory.buffer, input, inputLength));
  lz4[operation](result, input, inputLength);
  const [address, length, , isError] = new Uint32Array(lz4.memory.buffer, result, RESULT_BYTES / 4);
  if (operation === "decompress" && isError !== 0) throw new Error("lz4-wasm reports an error");
  const output = new Uint8Array(lz4.memory.buffer, address!, length!).slice();
  lz4.__wbindgen_free(address!, length!);
  lz4.__wbindgen_add_to_stack_pointer(RESULT_BYTES);
  return output;
}

function startLz4(): Lz4Exports {
  const { WebAssembly } = globalThis as unknown as WasmGlobal;
  compiled ??= new WebAssembly.Module(Buffer.from(lz4WasmBase64, "base64"));
  // Makes a JavaScript string of an error message; the handle it returns is never used.
  const imports = { "./lz4_wasm_bg.js": { __wbindgen_string_new: () => 0 } };
  return new WebAssembly.Instance(compiled, imports).exports as Lz4Exports;
}
