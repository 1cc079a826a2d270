// What has happened: backups out of the ordinary, recovery times of restore tests, the last jobs. Pure.

import { html, Markup } from "../../core/report/markup.js";
import { durationText, outcomeText } from "../model/machineWords.js";
import {
  ANOMALY_DEVIATIONS,
  ANOMALY_FACTOR,
  ANOMALY_MIN_BEFORE,
  ANOMALY_MIN_BYTES,
  ANOMALY_WINDOW,
  type ChangeAnomaly,
  changeAnomalies,
  type RecoveryTrend,
  recoveryTrends,
} from "../model/overviewNumbers.js";
import { dateAndTime, numberText, sizeText, type Translate, timesText } from "../model/words.js";
import type { JobLine, OverviewData } from "../service/overviewProtocol.js";
import { chart } from "./capacitySection.js";
import { badge, empty, machineName, nameOf, quiet, type Reader, section, table, when } from "./sections.js";

const MAX_ANOMALIES = 20;
const MAX_RECOVERY_CHARTS = 12;

export function anomaliesSection({ backups }: OverviewData, reader: Reader): Markup {
  const { t, locale } = reader;
  const found = changeAnomalies(backups);
  const how = quiet(
    t(
      "Backups with at least {0} times the new bytes that are usual for their machine, at least {1}, and more than {2} robust standard deviations (1.4826 × the median absolute deviation) above the usual. Usual is the median of up to {3} backups before, at least {4}, without the machine's first one. New software does this, and so does somebody who encrypts files.",
      ...[ANOMALY_FACTOR, sizeText(ANOMALY_MIN_BYTES, locale), ANOMALY_DEVIATIONS, ANOMALY_WINDOW, ANOMALY_MIN_BEFORE],
    ),
  );
  const title = t("Unusual change");
  if (found.length === 0) return section("anomalies", title, how, empty(t("None was found.")));
  const columns = [
    ...[{ head: t("Machine") }, { head: t("Backup") }, { head: t("New bytes"), isNumber: true }],
    ...[
      { head: t("Usual"), isNumber: true },
      { head: t("Times the usual"), isNumber: true },
    ],
  ];
  const rows = found.slice(0, MAX_ANOMALIES).map((each) => anomalyRow(each, reader));
  const left = found.length - rows.length;
  const more = left > 0 ? quiet(t("Earlier ones that are not shown: {0}.", numberText(left, locale))) : Markup.empty;
  return section("anomalies", title, how, table("anomalies", columns, rows), more);
}

function anomalyRow({ backup, usualBytes, factor }: ChangeAnomaly, reader: Reader): Markup {
  const { locale, timeZone } = reader;
  const times = Number.isFinite(factor) ? timesText(Math.round(factor), locale) : "–";
  return html`<tr><th scope="row">${machineName(backup.machine, reader)}</th><td>${dateAndTime(backup.atMs, locale, timeZone)}</td><td class="number">${sizeText(backup.newBytes, locale)}</td><td class="number">${sizeText(usualBytes, locale)}</td><td class="number"><b>${times}</b></td></tr>
`;
}

export function recoverySection({ recovery }: OverviewData, reader: Reader): Markup {
  const { t, locale } = reader;
  const title = t("Recovery time");
  const trends = recoveryTrends(recovery);
  if (trends.length === 0)
    return section("recovery", title, empty(t("No restore test that passed has measured it yet.")));
  const charts = trends.slice(0, MAX_RECOVERY_CHARTS).map((trend, i) => recoveryChart(trend, i, reader));
  const left = trends.length - charts.length;
  return section(
    "recovery",
    title,
    quiet(
      t(
        "From power-on, or from the beginning of the restore, until the machine served: the fastest way of each restore test that passed. A test that did not pass has no recovery time. The furthest over its objective comes first.",
      ),
    ),
    html`<div class="charts">${charts}</div>`,
    left > 0 ? quiet(t("Machines that are not shown: {0}.", numberText(left, locale))) : Markup.empty,
  );
}

function recoveryChart(trend: RecoveryTrend, index: number, reader: Reader): Markup {
  const { t, locale } = reader;
  const { machine, objectiveMs, points } = trend;
  const format = (ms: number) => (ms === 0 ? "0 s" : durationText(ms, locale));
  return chart(reader, {
    id: `recovery-${index}`,
    title: nameOf(machine),
    summary: recoverySummary(trend, format, t),
    series: [
      {
        name: t("Recovery time"),
        points: points.map(({ atMs, totalMs, outcome }) => {
          return { atMs, value: totalMs, mark: outcome === "passed" ? null : outcomeText(outcome, t) };
        }),
      },
    ],
    limit: objectiveMs === null ? null : { name: t("objective"), value: objectiveMs },
    format,
    base: 60,
    isDaily: false,
  });
}

function recoverySummary(
  { objectiveMs, points, others, within }: RecoveryTrend,
  format: (ms: number) => string,
  t: Translate,
): string {
  const sentences = [
    t("{0} in the newest test; tests that passed: {1}.", format(points.at(-1)?.totalMs ?? 0), points.length),
  ];
  if (objectiveMs !== null)
    sentences.push(t("Objective {0}: met by {1} of {2}.", format(objectiveMs), within ?? 0, points.length));
  if (others > 0) sentences.push(t("Left out because they did not pass: {0}.", others));
  return sentences.join(" ");
}

export function jobsSection({ jobs, atMs }: OverviewData, reader: Reader): Markup {
  const { t } = reader;
  const title = t("Last jobs");
  if (jobs.length === 0) return section("jobs", title, empty(t("No job has been recorded in this repository.")));
  const columns = [
    ...[{ head: t("Job") }, { head: t("Command") }, { head: t("Outcome") }, { head: t("Started") }],
    ...[{ head: t("Took"), isNumber: true }, { head: t("Machines"), isNumber: true }, { head: t("Started by") }],
  ];
  const rows = jobs.map((job) => jobRow(job, atMs, reader));
  return section("jobs", title, table("jobs", columns, rows));
}

function jobRow(job: JobLine, nowMs: number, reader: Reader): Markup {
  const { t, locale } = reader;
  const took = durationText(Math.max(0, job.finishedAtMs - job.startedAtMs), locale);
  const by = triggerText(job.trigger, t);
  return html`<tr><th scope="row">${nameOf(job.job)}</th><td>${nameOf(job.command)}</td><td>${badge(job.outcome, outcomeText(job.outcome, t))}</td><td>${when(job.startedAtMs, nowMs, reader)}</td><td class="number">${took}</td><td class="number">${numberText(job.machines, locale)}</td><td>${nameOf(`${by}, ${job.host}`)}</td></tr>
`;
}

function triggerText(trigger: string, t: Translate): string {
  const words: Record<string, string> = {
    manual: t("by hand"),
    scheduled: t("by schedule"),
    pipeline: t("by a pipeline"),
  };
  return Object.hasOwn(words, trigger) ? (words[trigger] ?? trigger) : trigger;
}
