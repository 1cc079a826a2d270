// Sentences that the core makes in English, in the language of the editor: why a machine needs attention, and when a schedule runs.
// What is not known here stays as it is.

import { dateAndTime, type Translate } from "./words.js";

interface Words {
  locale: string;
  t: Translate;
}

const INSTANT = "(\\d{4}-\\d\\d-\\d\\d) (\\d\\d:\\d\\d:\\d\\d) UTC";

/** Reasons of a machine's state: sentences with `; ` between them. */
export function reasonText(reason: string, words: Words): string {
  return reason
    .split("; ")
    .map((part) => partText(part, words))
    .join("; ");
}

function partText(part: string, { locale, t }: Words): string {
  const [, job] = /^it has no backup, and the job (\S+) should make them$/.exec(part) ?? [];
  if (job !== undefined) return t("it has no backup, and the job {0} should make them", job);
  if (part === "its newest snapshot is damaged") return t("its newest snapshot is damaged");
  const [, failure] = /^its last restore test failed: (.*)$/s.exec(part) ?? [];
  if (failure !== undefined) return t("its last restore test failed: {0}", failure);
  const [, outcome, why] = /^its last restore test ended (inconclusive|warned): (.*)$/s.exec(part) ?? [];
  if (outcome === "inconclusive") return t("its last restore test was inconclusive: {0}", why ?? "");
  if (outcome === "warned") return t("its last restore test passed with warnings: {0}", why ?? "");
  const late = new RegExp(`^a (backup|restore test) by the job (\\S+) is due since ${INSTANT}$`).exec(part);
  if (late === null) return part;
  const [, what, name = "", day, time] = late;
  const since = dateAndTime(Date.parse(`${day}T${time}Z`), locale);
  if (what === "backup") return t("a backup by the job {0} is due since {1}", name, since);
  return t("a restore test by the job {0} is due since {1}", name, since);
}

const WEEKDAYS = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];
const DAY = WEEKDAYS.join("|");

/** `words`: the core's sentence; where it cannot be said otherwise, the schedule as it is written says it in no language. */
export function scheduleText({ words, text }: { words: string; text: string }, { locale, t }: Words): string {
  if (/^en\b/i.test(locale)) return words;
  const plain = words.replace(/ \(UTC\)$/, "");
  const utc = plain === words ? "" : " (UTC)";
  if (plain === "every hour") return t("every hour") + utc;
  const [, minutes] = /^every (\d+) minutes$/.exec(plain) ?? [];
  if (minutes !== undefined) return t("every {0} minutes", minutes) + utc;
  const at = new RegExp(`^(?:every day|(${DAY})(?: to (${DAY}))?) at (\\d\\d:\\d\\d(?::\\d\\d)?)$`).exec(plain);
  if (at === null) return text;
  const [, first, last, time = ""] = at;
  if (first === undefined) return t("every day at {0}", time) + utc;
  const from = weekday(first, locale);
  return (
    (last === undefined ? t("{0} at {1}", from, time) : t("{0} to {1} at {2}", from, weekday(last, locale), time)) + utc
  );
}

function weekday(name: string, locale: string): string {
  // the first of January 2023 was a Sunday
  const day = Date.UTC(2023, 0, 1 + WEEKDAYS.indexOf(name));
  return new Intl.DateTimeFormat(locale, { weekday: "long", timeZone: "UTC" }).format(day);
}
