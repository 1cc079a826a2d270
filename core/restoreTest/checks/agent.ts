// The guest's agent answers, and the system that it runs in is the expected one.

import { setTimeout as sleep } from "node:timers/promises";
import type { AgentConnection, CheckFunction } from "./check.js";
import { cannotTell, fails, holds } from "./check.js";
import { isOutOfTime, messageOf } from "./problems.js";

const PING_AGAIN_MS = 1000;

export const checkAgent: CheckFunction<"agent"> = async (check, context, { signal }) => {
  const system = check.osId === null ? "" : `, and its system matches ${check.osId}`;
  const expected = `the guest agent answers${system}`;
  const { agent } = context;
  if (agent === null) return cannotTell(expected, "", "the machine was not started, or has no line to an agent");
  const silence = await silenceOf(agent, Number.POSITIVE_INFINITY, signal);
  if (silence !== null) return fails(expected, silence, "the agent did not answer");
  if (check.osId === null) return holds(expected, "answered");
  const info = await agent.osInfo({ signal }).catch((error: unknown) => messageOf(error));
  signal.throwIfAborted();
  if (typeof info === "string") return cannotTell(expected, info, "the agent does not tell its system");
  const observed = `${info.id}: ${info.name}`;
  if (!check.osId.test(info.id)) return fails(expected, observed, "it is another system");
  return holds(expected, observed);
};

/** Null: it answers. Else what it said at last, after so many tries or when the attempt's time is over. */
export async function silenceOf(agent: AgentConnection, tries: number, signal: AbortSignal): Promise<string | null> {
  for (let tried = 1; ; tried++) {
    try {
      await agent.ping({ signal });
      return null;
    } catch (error) {
      if (signal.aborted && !isOutOfTime(signal)) throw error;
      if (signal.aborted || tried >= tries) return signal.aborted ? "no answer in time" : messageOf(error);
    }
    await sleep(PING_AGAIN_MS, undefined, { signal }).catch(() => {});
  }
}
