// What a line of reprise.yml means: a retention in words and for the snapshots there are, the next runs of a schedule, how a machine
// stands.

import { env, Hover, type HoverProvider, l10n, MarkdownString, type Position, Range, type TextDocument } from "vscode";
import { keepSentences, previewText } from "../model/keepWords.js";
import { durationText, levelText, machineText } from "../model/machineWords.js";
import { plainMarkdown } from "../model/plainMarkdown.js";
import { dateAndTime } from "../model/words.js";
import { type YamlPlace, yamlPlaceAt } from "../model/yamlPlace.js";
import type { ServiceClient } from "../service/client.js";
import type { MachineStateData, PolicyData, PolicyJobData } from "../service/policyProtocol.js";
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

  async provideHover(document: TextDocument, position: Position): Promise<Hover | undefined> {
    if (!isOurs(document)) return undefined;
    const place = yamlPlaceAt(document.getText().split("\n"), position.line, position.character);
    const reading = await this.#policies.read(document.uri).catch(() => undefined);
    if (reading === undefined) return undefined;
    const lines = await this.#lines(place, reading);
    if (lines.length === 0) return undefined;
    const text = new MarkdownString(plainMarkdown(lines));
    return new Hover(text, new Range(position.line, place.start, position.line, place.end));
  }

  async #lines(place: YamlPlace, reading: Reading): Promise<string[]> {
    const { path, word } = place;
    const [top, name, field, rule] = path;
    const data = reading.kind === "policy" && top === "jobs" ? reading.lastSound : undefined;
    const job = data?.jobs.find((each) => each.name === name);
    if (job !== undefined && field === "schedule") return scheduleLines(job);
    if (data !== undefined && job !== undefined && field === "retention")
      return await this.#keepLines(job, rule ?? word, data);
    return await this.#machineLines(word, reading);
  }

  async #keepLines({ keep, machines, repository, schedule }: PolicyJobData, rule: string, data: PolicyData) {
    if (keep === null) return [];
    const lines = [l10n.t("Keeps:"), ...keepSentences(keep, l10n.t, rule).map((sentence) => `• ${sentence}`)];
    const [opened] = await this.#states.openOf(data.repositories.filter(({ name }) => name === repository));
    if (opened === undefined) return lines;
    const timeZone = schedule?.timeZone ?? "UTC";
    const argument = { repository: opened.handle, machines, keep, timeZone };
    const previews = await this.#client.call("keepPreview", argument).catch(() => []);
    if (previews.length > 0) lines.push(l10n.t("Of the snapshots that there are today:"));
    return [...lines, ...previews.slice(0, MAX_PREVIEWS).map((preview) => `• ${previewText(preview, l10n.t)}`)];
  }

  async #machineLines(word: string, reading: Reading): Promise<string[]> {
    if (!word.includes("/")) return [];
    const states =
      reading.kind === "policy" && reading.data.sound
        ? await this.#states.ofPolicy({ uri: reading.uri, text: reading.text, data: reading.data })
        : await this.#states.ofAll();
    const state = states.find(({ machine }) => machine === word);
    return state === undefined ? [] : machineLines(state);
  }
}

function scheduleLines({ schedule }: PolicyJobData): string[] {
  if (schedule === null) return [];
  const { words, timeZone, nextRunsMs } = schedule;
  const runs = nextRunsMs.map((atMs) => `• ${dateAndTime(atMs, env.language)}`);
  const title = runs.length === 0 ? l10n.t("It has no run left.") : l10n.t("The next runs, in your time:");
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
  return outcome === "passed" ? lines : [...lines, reason];
}
