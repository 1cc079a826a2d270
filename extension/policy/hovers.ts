// What a line of reprise.yml means: a retention in words and for the snapshots there are, the next runs of a schedule, how a machine
// stands.

import {
  type CancellationToken,
  env,
  Hover,
  type HoverProvider,
  l10n,
  MarkdownString,
  type Position,
  Range,
  type TextDocument,
} from "vscode";
import { isAbort, whileWanted, withSignal } from "../adapt/cancellation.js";
import { errorText } from "../adapt/errors.js";
import { reasonText, scheduleText } from "../model/coreWords.js";
import { keepSentences, previewText } from "../model/keepWords.js";
import { durationText, levelText, machineText } from "../model/machineWords.js";
import { plainMarkdown } from "../model/plainMarkdown.js";
import { dateAndTime } from "../model/words.js";
import { type YamlPlace, yamlPlaceAt } from "../model/yamlPlace.js";
import type { OpenedRepository } from "../repositories/openRepositories.js";
import type { ServiceClient } from "../service/client.js";
import type { KeepData, MachineStateData, PolicyData, PolicyJobData } from "../service/policyProtocol.js";
import type { MachineStates } from "./machineStates.js";
import { isOurs, type Policies, type Reading } from "./policies.js";

const MAX_PREVIEWS = 10;

export class PolicyHovers implements HoverProvider {
  readonly #client: ServiceClient;
  readonly #policies: Policies;
  readonly #states: MachineStates;

  constructor(client: ServiceClient, policies: Policies, states: MachineStates) {
    this.#client = client;
    this.#policies = policies;
    this.#states = states;
  }

  async provideHover(document: TextDocument, position: Position, token: CancellationToken): Promise<Hover | undefined> {
    if (!isOurs(document)) return undefined;
    const place = yamlPlaceAt(document.getText().split("\n"), position.line, position.character);
    // what cannot be read has its place in the problems
    const reading = await whileWanted(token, this.#policies.read(document.uri)).catch(() => undefined);
    if (reading === undefined) return undefined;
    const lines = await whileWanted(
      token,
      withSignal(token, (signal) => this.#lines(place, reading, signal)),
    );
    if (lines === undefined || lines.length === 0) return undefined;
    const text = new MarkdownString(plainMarkdown(lines));
    return new Hover(text, new Range(position.line, place.start, position.line, place.end));
  }

  async #lines(place: YamlPlace, reading: Reading, signal: AbortSignal): Promise<string[]> {
    const { path, word } = place;
    const [top, name, field, rule] = path;
    const data = reading.kind === "policy" && top === "jobs" ? reading.lastSound : undefined;
    const job = data?.jobs.find((each) => each.name === name);
    if (job !== undefined && field === "schedule") return scheduleLines(job);
    if (data !== undefined && job !== undefined && field === "retention")
      return await this.#keepLines(job, rule ?? word, data, signal);
    return await this.#machineLines(word, reading);
  }

  async #keepLines(job: PolicyJobData, rule: string, { repositories }: PolicyData, signal: AbortSignal) {
    const { keep, repository } = job;
    if (keep === null) return [];
    const lines = [l10n.t("Keeps:"), ...keepSentences(keep, l10n.t, rule).map((sentence) => `• ${sentence}`)];
    const opened = await this.#states.openOf(repositories.filter(({ name }) => name === repository));
    // two entries of the settings may lead to one repository
    const different = new Map(opened.map((each) => [each.repositoryId, each]));
    for (const each of different.values()) lines.push(...(await this.#previewLines(each, job, keep, signal)));
    return lines;
  }

  async #previewLines(
    { handle, configured }: OpenedRepository,
    { machines, schedule }: PolicyJobData,
    keep: KeepData,
    signal: AbortSignal,
  ): Promise<string[]> {
    const timeZone = schedule?.timeZone ?? "UTC";
    try {
      const argument = { repository: handle, machines, keep, timeZone };
      const { asOfMs, previews } = await this.#client.call("keepPreview", argument, { signal });
      if (previews.length === 0) return [];
      const title = l10n.t("Of the snapshots in {0} as of {1}:", configured.name, dateAndTime(asOfMs, env.language));
      return [title, ...previews.slice(0, MAX_PREVIEWS).map((preview) => `• ${previewText(preview, l10n.t)}`)];
    } catch (error) {
      if (isAbort(error)) throw error;
      return [l10n.t("could not be read: {0}", `${configured.name}: ${errorText(error)}`)];
    }
  }

  async #machineLines(word: string, reading: Reading): Promise<string[]> {
    if (!word.includes("/")) return [];
    const isSound = reading.kind === "policy" && reading.data.sound;
    const { states, problems } = isSound ? await this.#states.ofPolicy(reading) : await this.#states.ofAll();
    const state = states.find(({ machine }) => machine === word);
    if (state !== undefined) return machineLines(state);
    return problems.map((problem) => l10n.t("could not be read: {0}", problem));
  }
}

function scheduleLines({ schedule }: PolicyJobData): string[] {
  if (schedule === null) return [];
  const { timeZone, nextRunsMs } = schedule;
  const runs = nextRunsMs.map((atMs) => `• ${dateAndTime(atMs, env.language)}`);
  const title = runs.length === 0 ? l10n.t("It has no run left.") : l10n.t("The next runs, in your time:");
  const words = scheduleText(schedule, { locale: env.language, t: l10n.t });
  return [l10n.t("{0} (time zone {1})", words, timeZone), title, ...runs];
}

function machineLines(state: MachineStateData): string[] {
  const { machine, newest, lastTest, reason, snapshots, outcome } = state;
  const lines = [`${machine}: ${machineText(state, { nowMs: Date.now(), locale: env.language, t: l10n.t })}`];
  if (newest !== null)
    lines.push(l10n.t("Newest backup: {0}, one of {1}", dateAndTime(newest.timeMs, env.language), snapshots));
  if (lastTest !== null) {
    const level = levelText(lastTest.provenLevel, l10n.t) ?? l10n.t("nothing proven");
    const rto = lastTest.rtoMs === null ? "–" : durationText(lastTest.rtoMs, env.language);
    lines.push(l10n.t("Last restore test: {0}, {1}, RTO {2}", dateAndTime(lastTest.atMs, env.language), level, rto));
  }
  return outcome === "passed" ? lines : [...lines, reasonText(reason, { locale: env.language, t: l10n.t })];
}
