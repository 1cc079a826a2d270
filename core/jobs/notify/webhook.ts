// Posts JSON to an address that is a secret: it appears in no message. Redirections are not followed, for the same reason.

import { setTimeout as sleep } from "node:timers/promises";
import { RepriseError } from "../../errors.js";

export interface WebhookOptions {
  signal?: AbortSignal;
  /** Of one attempt. Default 10 s. */
  timeoutMs?: number;
  /** Pauses between attempts; their number is one less than that of attempts. Default 1 s and 5 s. */
  pausesMs?: readonly number[];
}

const TIMEOUT_MS = 10_000;
const PAUSES_MS = [1_000, 5_000];

/** NOTIFICATION_FAILED when no attempt was answered with 2xx; WEBHOOK_URL_INVALID. What is refused for good (4xx) is not tried again. */
export async function postWebhook(address: string, body: string, options: WebhookOptions = {}): Promise<void> {
  const url = URL.parse(address.trim());
  if (url === null || (url.protocol !== "https:" && url.protocol !== "http:")) throw invalidAddress();
  const { timeoutMs = TIMEOUT_MS, pausesMs = PAUSES_MS, signal } = options;
  for (let attempt = 0; ; attempt++) {
    signal?.throwIfAborted();
    const failure = await postOnce(url, body, timeoutMs, signal);
    if (failure === null) return;
    const pauseMs = pausesMs[attempt];
    if (!failure.mayPass || pauseMs === undefined) throw failed(failure.reason, attempt + 1);
    await sleep(pauseMs, undefined, { signal });
  }
}

/** Null: taken. */
async function postOnce(
  url: URL,
  body: string,
  timeoutMs: number,
  signal: AbortSignal | undefined,
): Promise<{ reason: string; mayPass: boolean } | null> {
  const timeout = AbortSignal.timeout(timeoutMs);
  try {
    const response = await fetch(url, {
      method: "POST",
      headers: { "content-type": "application/json", "user-agent": "reprise" },
      body,
      redirect: "manual",
      signal: signal === undefined ? timeout : AbortSignal.any([signal, timeout]),
    });
    // nobody wants the answer; an endless one must not keep the connection
    await response.body?.cancel();
    if (response.ok) return null;
    const { status } = response;
    return { reason: `the answer was ${status}`, mayPass: status >= 500 || status === 429 || status === 408 };
  } catch (error) {
    signal?.throwIfAborted();
    if (timeout.aborted) return { reason: `no answer within ${timeoutMs} ms`, mayPass: true };
    return { reason: systemReason(error), mayPass: true };
  }
}

/** Messages of the system name the host; its code does not. */
function systemReason(error: unknown): string {
  const { code } = ((error as Error).cause ?? {}) as { code?: unknown };
  return `it cannot be reached (${typeof code === "string" ? code : "connection failed"})`;
}

function failed(reason: string, attempts: number): RepriseError {
  const tries = attempts === 1 ? "" : `, ${attempts} times`;
  return new RepriseError("backend", "NOTIFICATION_FAILED", `the webhook did not take the message: ${reason}${tries}`, {
    data: { attempts },
    retry: "later",
    hint: "check the address that the secret of the notification holds, and whether it can be reached from here",
  });
}

function invalidAddress(): RepriseError {
  return new RepriseError("usage", "WEBHOOK_URL_INVALID", "the webhook's address is no http:// or https:// URL", {
    hint: "look at the secret that the notification names in reprise.yml",
  });
}
