// A program on the host that looks at the machine in its own way. It gets what it needs in its environment and nothing else:
// no key, no token of this process. Exit 0: holds, 1: fails, anything else: it could not tell.

import { spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import type { CheckContext, CheckFunction, CheckOf } from "./check.js";
import { cannotTell, fails, holds } from "./check.js";
import { isOutOfTime, messageOf } from "./problems.js";

const MAX_OUTPUT_BYTES = 64 * 1024;
/** How long the output may stay open after the end. */
const OUTPUT_GRACE_MS = 1000;
/** What of our own environment it sees: where programs are, and what time it is there. */
const PASSED_ON = ["PATH", "TZ"] as const;

export const checkScript: CheckFunction<"script"> = async (check, context, { signal }) => {
  const expected = `${check.run[0] ?? "the script"} ends with 0`;
  const folder = await mkdtemp(join(context.runFolder, "script-"));
  try {
    const end = await runScript(check, scriptEnvironment(check, context, folder), signal);
    if (signal.aborted && !isOutOfTime(signal)) signal.throwIfAborted();
    if (signal.aborted) return cannotTell(expected, end.output, "it did not end in time, and was killed");
    if (end.problem !== null) return cannotTell(expected, end.output, end.problem);
    const observed = `exit ${end.exitCode}\n${end.output}`;
    if (end.exitCode === 0) return holds(expected, observed);
    if (end.exitCode === 1) return fails(expected, observed, "it ended with 1: the test has failed");
    return cannotTell(expected, observed, `it ended with ${end.exitCode}: it could not tell`);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
};

/** Everything that a script is told. Ports on the host are `REPRISE_TEST_PORT_<guest's port>`, on 127.0.0.1. */
export function scriptEnvironment(
  check: Pick<CheckOf<"script">, "id">,
  context: CheckContext,
  folder: string,
): Record<string, string> {
  const { snapshot } = context;
  const { namespace, group, time } = snapshot.manifest;
  const environment: Record<string, string> = {
    LC_ALL: "C.UTF-8",
    HOME: folder,
    TMPDIR: folder,
    REPRISE_TEST_CHECK: check.id,
    REPRISE_TEST_MACHINE: namespace === "" ? group : `${namespace}/${group}`,
    REPRISE_TEST_SNAPSHOT: snapshot.sid,
    REPRISE_TEST_SNAPSHOT_TIME: time,
    REPRISE_TEST_MANIFEST_DIGEST: snapshot.digest,
    REPRISE_TEST_HOST: "127.0.0.1",
  };
  for (const name of PASSED_ON) if (process.env[name] !== undefined) environment[name] = process.env[name];
  for (const guestPort of context.guestPorts) {
    const port = context.hostPort(guestPort);
    if (port !== null) environment[`REPRISE_TEST_PORT_${guestPort}`] = String(port);
  }
  return environment;
}

interface ScriptEnd {
  exitCode: number | null;
  /** Both streams as they came, bounded. */
  output: string;
  /** Why it did not end by itself, or null. */
  problem: string | null;
}

async function runScript(
  { run }: CheckOf<"script">,
  env: Record<string, string>,
  signal: AbortSignal,
): Promise<ScriptEnd> {
  const [program = "", ...args] = run;
  return await new Promise((resolve) => {
    // A process group of its own, so that what it has started ends with it.
    const child = spawn(program, args, { env, detached: true, stdio: ["ignore", "pipe", "pipe"] });
    let output = "";
    const decoder = new TextDecoder();
    const take = (piece: Uint8Array) => {
      if (output.length < MAX_OUTPUT_BYTES) output += decoder.decode(piece, { stream: true });
    };
    child.stdout.on("data", take);
    child.stderr.on("data", take);
    const kill = () => killGroup(child.pid);
    const end = (exitCode: number | null, problem: string | null) => {
      signal.removeEventListener("abort", kill);
      child.stdout.destroy();
      child.stderr.destroy();
      resolve({ exitCode, output: output.slice(0, MAX_OUTPUT_BYTES), problem });
    };
    child.on("error", (error) => end(null, `it could not be started: ${messageOf(error)}`));
    child.on("exit", (exitCode, signalName) => {
      kill();
      const ended = () => end(exitCode, exitCode === null ? `it was ended by ${signalName}` : null);
      child.on("close", ended);
      // What has left the group may hold the output open.
      setTimeout(ended, OUTPUT_GRACE_MS).unref();
    });
    signal.addEventListener("abort", kill, { once: true });
    if (signal.aborted) kill();
  });
}

/** The group's id is the leader's; as long as anything of it lives, nobody else gets that number. */
function killGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, "SIGKILL");
  } catch {
    // nothing of it is left
  }
}
