// Compiles core/chunking/kernel/scan.ts to WebAssembly and embeds it, and the one of lz4-wasm, as base64 modules, so
// that bundles need no file beside them. Writes only when something changed.
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import asc from "assemblyscript/asc";

const root = fileURLToPath(new URL("..", import.meta.url));

async function compileKernel() {
  const folder = await mkdtemp(join(tmpdir(), "reprise-kernel-"));
  try {
    const outFile = join(folder, "scan.wasm");
    const { error, stderr } = await asc.main([
      join(root, "core/chunking/kernel/scan.ts"),
      "--outFile",
      outFile,
      "-O3",
      "--noAssert",
      "--runtime",
      "stub",
      "--enable",
      "simd",
      "--initialMemory",
      "1",
    ]);
    if (error) throw new Error(`the scan kernel does not compile: ${error.message}\n${stderr.toString()}`);
    return await readFile(outFile);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function embed(path, constant, source, bytes) {
  const text = [
    `// Made by scripts/buildKernel.mjs from ${source}; do not edit.`,
    `export const ${constant} =`,
    `  "${bytes.toString("base64")}";`,
    "",
  ].join("\n");
  const file = join(root, path);
  const before = await readFile(file, "utf8").catch(() => undefined);
  if (before !== text) await writeFile(file, text);
}

const scan = await compileKernel();
await embed("core/chunking/scanKernel.generated.ts", "scanKernelBase64", "core/chunking/kernel/scan.ts", scan);
const lz4 = await readFile(join(root, "node_modules/lz4-wasm/lz4_wasm_bg.wasm"));
await embed("core/codec/lz4Wasm.generated.ts", "lz4WasmBase64", "lz4-wasm", lz4);
console.log(`scan kernel: ${scan.length} bytes; lz4: ${lz4.length} bytes`);
