// The process around runCli: signals in, exit code out. Bundled as dist/cli/reprise.mjs.

import { exitCodeOfSignal, Interruption, type SignalName } from "./exitCodes.js";
import { runCli } from "./runCli.js";

const interruption = new AbortController();

function onSignal(name: SignalName): void {
  if (interruption.signal.aborted) process.exit(exitCodeOfSignal(name));
  interruption.abort(new Interruption(name));
}

process.on("SIGINT", () => onSignal("SIGINT"));
process.on("SIGTERM", () => onSignal("SIGTERM"));

const { stdin, stdout, stderr, env, argv } = process;
process.exitCode = await runCli(argv.slice(2), { stdin, stdout, stderr, env, signal: interruption.signal });
// A pipe or terminal that nobody reads to its end would keep the process alive.
stdin.destroy();
