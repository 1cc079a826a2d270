// What gets bundled. An entry point whose file does not exist yet is skipped. Flags are esbuild's.

// A bundle of ES modules still meets CommonJS packages: they call require for a built-in module, and ssh2's
// WebAssembly asks for __dirname.
const requireShim =
  'import { createRequire as createRequireForBundle } from "node:module"; const require = createRequireForBundle(import.meta.url); const __dirname = import.meta.dirname;';

// Optional native add-ons of ssh2: it does without them, and a bundle must run on every platform.
const nativeAddOns = ["--external:cpu-features", "--external:*.node"];

const nodeModule = ["--platform=node", "--format=esm", "--target=node22", ...nativeAddOns];
// the Node that action.yml names
const runnerModule = ["--platform=node", "--format=esm", "--target=node24", ...nativeAddOns];

// what engines.vscode has at least
const editorHost = ["--platform=node", "--format=cjs", "--target=node22", "--external:vscode", "--minify"];

export const entryPoints = [
  {
    source: "cli/main.ts",
    bundle: "dist/cli/reprise.mjs",
    flags: [...nodeModule, `--banner:js=#!/usr/bin/env node\n${requireShim}`],
    executable: true,
  },
  {
    source: "core/engine/worker.ts",
    bundle: "dist/cli/worker.mjs",
    flags: [...nodeModule, `--banner:js=${requireShim}`],
    executable: false,
  },
  {
    source: "action/main.ts",
    bundle: "dist/action/index.mjs",
    flags: [...runnerModule, `--banner:js=${requireShim}`],
    executable: false,
  },
  {
    source: "core/engine/worker.ts",
    bundle: "dist/action/worker.mjs",
    flags: [...runnerModule, `--banner:js=${requireShim}`],
    executable: false,
  },
  {
    source: "extension/main.ts",
    bundle: "dist/extension/main.cjs",
    flags: editorHost,
    executable: false,
  },
  {
    source: "extension/service/serviceWorker.ts",
    bundle: "dist/extension/service.mjs",
    flags: [...nodeModule, "--minify", `--banner:js=${requireShim}`],
    executable: false,
  },
  {
    // for tasks: `reprise run JOB` in a terminal without anything else being installed
    source: "cli/main.ts",
    bundle: "dist/extension/reprise.mjs",
    flags: [...nodeModule, "--minify", `--banner:js=${requireShim}`],
    executable: false,
  },
  {
    source: "core/engine/worker.ts",
    bundle: "dist/extension/worker.mjs",
    flags: [...nodeModule, "--minify", `--banner:js=${requireShim}`],
    executable: false,
  },
];
