// Tells people what came out of a job, where and when its configuration says so. Never fails the job.

import type {
  JobConfig,
  NotificationConfig,
  NotifyOn,
  RepriseConfig,
  SecretReference,
} from "../../config/repriseConfig.js";
import { isAbort, isOurError } from "../../errors.js";
import { encodeCanonicalJson, type JsonValue } from "../../format/canonicalJson.js";
import { fitJobReport } from "../../jobReport/encodeJobReport.js";
import type { JobReport, ReportOutcome } from "../../jobReport/jobReport.js";
import { renderJobText } from "../../jobReport/jobText.js";
import { shortLine } from "../../report/inertText.js";
import { reasonOf } from "../jobLog.js";
import { sendMail } from "./mail.js";
import { slackMessage } from "./slackMessage.js";
import { postWebhook } from "./webhook.js";

/** Reads a secret that the configuration names. */
export type SecretReader = (reference: SecretReference) => Promise<string>;

export interface UndeliveredNotification {
  name: string;
  code: string;
  message: string;
  hint: string | null;
}

/** From which outcomes on; one that could not be carried out is as bad as one that failed. Who cancels a job knows it. */
const TOLD: Record<NotifyOn, readonly ReportOutcome[]> = {
  always: ["passed", "warned", "inconclusive", "failed"],
  warned: ["warned", "inconclusive", "failed"],
  failed: ["inconclusive", "failed"],
};
const MAX_SUBJECT = 200;

/** One after the other. Answers those that could not be delivered; only an abort is thrown. */
export async function notifyPeople(
  config: RepriseConfig,
  job: Pick<JobConfig, "notify">,
  report: JobReport,
  options: { secret: SecretReader; signal: AbortSignal },
): Promise<UndeliveredNotification[]> {
  const undelivered: UndeliveredNotification[] = [];
  const wanted = job.notify.filter(({ on }) => TOLD[on].includes(report.outcome));
  for (const { name } of wanted) {
    const notification = config.notifications.find((candidate) => candidate.name === name);
    if (notification === undefined) continue;
    try {
      await deliver(notification, report, options);
    } catch (error) {
      if (isAbort(error)) throw error;
      const { code = "NOTIFICATION_FAILED", hint = null } = isOurError(error) ? error : {};
      const message = `notification ${name}: ${isOurError(error) ? reasonOf(error) : "it failed"}`;
      undelivered.push({ name, code, message, hint: hint ?? null });
    }
  }
  return undelivered;
}

async function deliver(
  notification: NotificationConfig,
  report: JobReport,
  { secret, signal }: { secret: SecretReader; signal: AbortSignal },
): Promise<void> {
  if (notification.kind === "webhook") {
    const body = notification.format === "slack" ? slackMessage(report) : jsonMessage(report);
    return await postWebhook(await secret(notification.url), body, { signal });
  }
  const { server, password, from, to } = notification;
  const subject = shortLine(`[reprise] ${report.outcome}: ${report.verdict}`, MAX_SUBJECT);
  const given = password === null ? null : await secret(password);
  await sendMail({ server, password: given, from, to, subject, text: renderJobText(report) }, { signal });
}

/** The report as its file has it, but for pictures, which are no message. */
function jsonMessage(report: JobReport): string {
  const machines = report.machines.map((line) => ({ ...line, test: line.test && { ...line.test, screenshot: null } }));
  const value = fitJobReport({ ...report, machines }) as unknown as JsonValue;
  return new TextDecoder().decode(encodeCanonicalJson(value));
}
