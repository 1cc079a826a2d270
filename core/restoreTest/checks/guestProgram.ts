// A program inside the guest, through its agent: an argument list, never a shell's line.

import { isOurError } from "../../errors.js";
import { silenceOf } from "./agent.js";
import type { CheckContext, GuestResult } from "./check.js";
import { isOutOfTime, messageOf } from "./problems.js";

/** What became of it. `late`: it was started, and did not end in time. `absent`: it was not, or nobody knows. */
export type ProgramRun =
  | { kind: "ended"; result: GuestResult }
  | { kind: "late" }
  | { kind: "absent"; observed: string; reason: string };

/** Right after the start an agent may need a moment. */
const PINGS = 3;

export interface RunOptions {
  signal: AbortSignal;
  timeoutMs: number;
}

export async function runInGuest(
  argv: readonly string[],
  context: CheckContext,
  options: RunOptions,
): Promise<ProgramRun> {
  const { agent } = context;
  if (agent === null) return absent("", "the machine was not started, or has no line to an agent");
  const silence = await silenceOf(agent, PINGS, options.signal);
  if (silence !== null) return absent(silence, "the guest agent does not answer");
  try {
    return { kind: "ended", result: await agent.exec(argv, options) };
  } catch (error) {
    const started = isOurError(error, "GUEST_AGENT_SILENT") && error.data.pid !== undefined;
    if (started || isOutOfTime(options.signal)) return { kind: "late" };
    options.signal.throwIfAborted();
    return absent(messageOf(error), `${argv[0] ?? "nothing"} could not be run in the guest`);
  }
}

function absent(observed: string, reason: string): ProgramRun {
  return { kind: "absent", observed, reason };
}

/** "exit 1, output …, errors …". */
export function describeResult({ exitCode, stdout, stderr, truncated }: GuestResult): string {
  const parts = [exitCode === null ? "ended by a signal" : `exit ${exitCode}`];
  if (stdout !== "") parts.push(`output: ${stdout.trimEnd()}`);
  if (stderr !== "") parts.push(`errors: ${stderr.trimEnd()}`);
  if (truncated) parts.push("(output cut off)");
  return parts.join("\n");
}
