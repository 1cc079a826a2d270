// How the repository has grown, what deduplication saves, and where growth leads. Pure.

import { html, type Markup } from "../../core/report/markup.js";
import {
  capacityOverTime,
  dedupRatio,
  FORECAST_MIN_BACKUPS,
  FORECAST_MIN_DAYS,
  forecastGrowth,
} from "../model/overviewNumbers.js";
import { type TimeChart, timeChart } from "../model/timeChart.js";
import { numberText, sizeText, timesText } from "../model/words.js";
import type { OverviewData } from "../service/overviewProtocol.js";
import { empty, quiet, type Reader, section, table } from "./sections.js";

export function capacitySection(data: OverviewData, reader: Reader): Markup {
  const { t, locale } = reader;
  const points = capacityOverTime(data);
  const title = t("Capacity and deduplication");
  const [first, last] = [points[0], points.at(-1)];
  if (first === undefined || last === undefined || points.length < 2) {
    const none = empty(t("Backups of two days are needed for a chart."));
    return section("capacity", title, none, forecastText(data, reader));
  }
  const [from, to] = [first, last].map(({ storedBytes }) => sizeText(storedBytes, locale));
  const [before, now] = [first, last].map((point) => timesText(dedupRatio(point), locale));
  const capacity = chart(reader, {
    id: "capacity-chart",
    title: html`${t("Stored over time")}`,
    summary: t(
      "From {0} to {1}: what is stored now, less what later backups that are still there added.",
      from ?? "",
      to ?? "",
    ),
    series: [
      { name: t("Stored"), points: points.map(({ atMs, storedBytes }) => ({ atMs, value: storedBytes, mark: null })) },
    ],
    format: (value) => sizeText(value, locale),
  });
  const dedup = chart(reader, {
    id: "dedup-chart",
    title: html`${t("Saved over time")}`,
    summary: t(
      "From {0} to {1}: the size of all disks of all snapshots that are still there, over what is stored.",
      ...[before ?? "", now ?? ""],
    ),
    series: [
      { name: t("Saved"), points: points.map((point) => ({ atMs: point.atMs, value: dedupRatio(point), mark: null })) },
    ],
    format: (value) => timesText(value, locale),
    base: 10,
  });
  return section("capacity", title, html`<div class="charts">${capacity}${dedup}</div>`, forecastText(data, reader));
}

/** A chart in the reader's words. A point stands at the end of its day. */
export function chart(
  { t, locale, timeZone }: Reader,
  given: Pick<TimeChart, "id" | "title" | "summary" | "series" | "format"> & Partial<TimeChart>,
): Markup {
  const format = new Intl.DateTimeFormat(locale, { dateStyle: "medium", timeZone: "UTC" });
  const exact = new Intl.DateTimeFormat(locale, { dateStyle: "medium", timeStyle: "short", timeZone });
  const isDaily = given.isDaily ?? true;
  return timeChart({
    limit: null,
    base: 1024,
    isDaily,
    day: (atMs) => format.format(isDaily ? atMs - 1 : atMs),
    moment: (atMs) => (isDaily ? format.format(atMs - 1) : exact.format(atMs)),
    words: {
      table: t("Show as a table"),
      date: isDaily ? t("Day (UTC)") : t("Date"),
      more: (left) => t("Earlier rows that are not shown: {0}.", numberText(left, locale)),
    },
    ...given,
  });
}

function forecastText(data: OverviewData, { t, locale }: Reader): Markup {
  const size = (bytes: number) => sizeText(Math.max(0, bytes), locale);
  const forecast = forecastGrowth(data);
  const heading = html`<h3 id="forecast">${t("Growth forecast")}</h3>`;
  if (forecast.kind === "none") {
    const needed = t(
      "No forecast. It needs {0} whole days (there are {1}) and {2} backups after the first one of their machine (there are {3}).",
      ...[FORECAST_MIN_DAYS, forecast.days, FORECAST_MIN_BACKUPS, forecast.backups],
    );
    return html`${heading}${empty(needed)}`;
  }
  const { bytesPerDay, marginPerDay, days, horizons } = forecast;
  const rows = horizons.map(
    (each) =>
      html`<tr><th scope="row">${t("in {0} days", each.days)}</th><td class="number">${size(each.bytes)}</td><td class="number">${size(each.lowBytes)} – ${size(each.highBytes)}</td></tr>
`,
  );
  const columns = [
    { head: t("When") },
    { head: t("Stored"), isNumber: true },
    { head: t("Likely range"), isNumber: true },
  ];
  return html`${heading}<p>${t("Backups add {0} a day, give or take {1}.", size(bytesPerDay), size(marginPerDay))}</p>
${table("forecast", columns, rows, true)}
${quiet(t("Computed from the last {0} whole days (UTC): the mean of what backups added each day, without the first backup of each machine. The ranges hold 95 of 100 such means (Student's t), and the scatter of the days to come. Backups that were forgotten since are not counted, and what prune and gc will free is not in it. No further ahead than three times the days it is made from.", days))}`;
}
