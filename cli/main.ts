// The process around runCli: signals in, exit code out. Bundled as dist/cli/reprise.mjs.

import { constants } from "node:os";
import { Interruption, type SignalName } from "./interruption.js";

/** The first release with zstd in node:zlib. */
const NEEDED_NODE = "22.15.0";

const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
if (major < 22 || (major === 22 && minor < 15)) {
  process.stderr.write(`reprise needs Node ${NEEDED_NODE} or newer; this is ${process.versions.node}\n`);
  process.exit(2);
}

/** After an interruption nothing that is stuck (a pipe nobody reads) keeps the process longer than this. */
const LINGER_MS = 2000;

/** What a second signal leaves for the last document of --json. */
const LAST_WORDS_MS = 500;

const interruption = new AbortController();
const impatience = new AbortController();

function onSignal(name: SignalName): void {
  if (!interruption.signal.aborted) {
    interruption.abort(new Interruption(name));
    return;
  }
  impatience.abort(new Interruption(name));
  setTimeout(() => process.exit(128 + constants.signals[name]), LAST_WORDS_MS);
}

process.on("SIGINT", () => onSignal("SIGINT"));
process.on("SIGTERM", () => onSignal("SIGTERM"));

// Loaded only now: a signal that comes meanwhile ends the command as every other one does, with its document.
const { runCli } = await import("./runCli.js");
const { stdin, stdout, stderr, env, argv } = process;
const signals = { signal: interruption.signal, impatience: impatience.signal };
process.exitCode = await runCli(argv.slice(2), { stdin, stdout, stderr, env, ...signals });
if (impatience.signal.aborted) process.exit();
// A pipe or terminal that nobody reads to its end would keep the process alive.
stdin.destroy();
if (interruption.signal.aborted) setTimeout(() => process.exit(), LINGER_MS).unref();
