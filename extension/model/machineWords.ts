// How a machine stands, in a few words and as a place in an order: for code lenses, hovers and the list of machines.

import type { MachineStateData } from "../service/policyProtocol.js";
import { ageText, numberText, type Translate } from "./words.js";

export interface WordsContext {
  nowMs: number;
  locale: string;
  t: Translate;
}

/** `850 ms`, `41 s`, `2 min 5 s`, `1 h 3 min`. */
export function durationText(ms: number, locale: string): string {
  if (ms < 1000) return `${numberText(ms, locale)} ms`;
  const seconds = Math.round(ms / 1000);
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return seconds % 60 === 0 ? `${minutes} min` : `${minutes} min ${seconds % 60} s`;
  return `${numberText(Math.floor(minutes / 60), locale)} h ${minutes % 60} min`;
}

/** What a restore test has proven; undefined: nothing. */
export function levelText(level: string | null, t: Translate): string | undefined {
  if (level === "serves") return t("serves");
  if (level === "boots") return t("boots");
  if (level === "readable") return t("files readable");
  return level === "intact" ? t("restored intact") : undefined;
}

/** How a test or a job ended; what is unknown stays as it is. */
export function outcomeText(outcome: string, t: Translate): string {
  const words: Record<string, string> = {
    passed: t("passed"),
    warned: t("passed with warnings"),
    failed: t("failed"),
    inconclusive: t("inconclusive"),
    cancelled: t("cancelled"),
  };
  return words[outcome] ?? outcome;
}

/** `3 hr. ago, boots, RTO 41 s`. Nothing is claimed that was not seen, and of which snapshot is told when it is not the newest. */
export function machineText(state: MachineStateData, { nowMs, locale, t }: WordsContext): string {
  const { newest, lastTest } = state;
  if (newest === null) return t("no backup");
  const words = [ageText(newest.timeMs, nowMs, locale)];
  if (newest.verification === "damaged") words.push(t("damaged"));
  if (lastTest === null) words.push(t("never restored in a test"));
  else words.push(...testWords(lastTest, { nowMs, locale, t }));
  return words.join(", ");
}

function testWords(test: NonNullable<MachineStateData["lastTest"]>, { nowMs, locale, t }: WordsContext): string[] {
  const { outcome, provenLevel, rtoMs, ofNewest, atMs } = test;
  const rto = rtoMs === null ? [] : [t("RTO {0}", durationText(rtoMs, locale))];
  if (outcome === "failed") return [t("restore test failed")];
  if (outcome === "inconclusive") return [t("restore test inconclusive")];
  const older = ofNewest ? [] : [t("an older snapshot, tested {0}", ageText(atMs, nowMs, locale))];
  const warned = outcome === "warned" ? [t("with warnings")] : [];
  return [levelText(provenLevel, t) ?? t("nothing proven"), ...warned, ...rto, ...older];
}

/** Levels of proof, the least first. */
export const PROOF_ORDER = ["intact", "readable", "boots", "serves"];

/** Those without any restore test first, then what failed, then by what is proven, and the longest untested first. */
export function byNeed(a: MachineStateData, b: MachineStateData): number {
  return needOf(a) - needOf(b) || testedAt(a) - testedAt(b) || (a.machine < b.machine ? -1 : 1);
}

function needOf({ lastTest }: MachineStateData): number {
  if (lastTest === null) return 0;
  if (lastTest.outcome === "failed") return 1;
  if (lastTest.outcome === "inconclusive") return 2;
  return 3 + PROOF_ORDER.indexOf(lastTest.provenLevel ?? "");
}

function testedAt({ lastTest }: MachineStateData): number {
  return lastTest?.atMs ?? 0;
}

/** The icon of a machine in the list, and its colour. */
export function machineIcon({ lastTest, newest, outcome }: MachineStateData): { id: string; color?: string } {
  if (newest?.verification === "damaged" || lastTest?.outcome === "failed")
    return { id: "error", color: "testing.iconFailed" };
  if (lastTest === null) return { id: "circle-outline", color: "testing.iconUnset" };
  if (lastTest.outcome === "inconclusive") return { id: "question", color: "testing.iconErrored" };
  return outcome === "failed"
    ? { id: "warning", color: "testing.iconQueued" }
    : { id: lastTest.ofNewest ? "pass-filled" : "pass", color: "testing.iconPassed" };
}
