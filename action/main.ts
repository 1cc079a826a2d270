// The process around run: signals in, exit code out. Bundled as dist/action/index.mjs.

import { constants } from "node:os";

type SignalName = "SIGINT" | "SIGTERM";

/** An AbortError for the core. */
class Cancelled extends Error {
  override readonly name = "AbortError";
}

/** A runner that cancels sends SIGINT, after 7.5 s SIGTERM, and 2.5 s later it kills. */
const LINGER_MS = 2000;

const cancelling = new AbortController();

function onSignal(name: SignalName): void {
  if (!cancelling.signal.aborted) cancelling.abort(new Cancelled(`ended by ${name}`));
  // again: at once. Whatever is half done is garbage that the next collection frees
  else process.exit(128 + constants.signals[name]);
}

process.on("SIGINT", () => onSignal("SIGINT"));
process.on("SIGTERM", () => onSignal("SIGTERM"));

const { run } = await import("./run.js");
const { GithubRunner } = await import("./githubRunner.js");
const runner = new GithubRunner(process.env);
try {
  await run(runner, cancelling.signal);
} catch (error) {
  // only what keeps us from telling an end: a file of the runner that cannot be written
  runner.fail(error instanceof Error ? error.message : String(error));
}
if (cancelling.signal.aborted) setTimeout(() => process.exit(), LINGER_MS).unref();
