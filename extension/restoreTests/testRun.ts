// One restore test in a run of the Test Explorer: what the service tells becomes output and results as it happens.

import {
  type CancellationToken,
  env,
  Location,
  l10n,
  Position,
  type TestController,
  type TestItem,
  TestMessage,
  type TestRun,
  Uri,
} from "vscode";
import { withSignal } from "../adapt/cancellation.js";
import { errorText } from "../adapt/errors.js";
import { toolFolder } from "../adapt/toolFolder.js";
import { durationText } from "../model/machineWords.js";
import type { OpenedRepository } from "../repositories/openRepositories.js";
import type { ServiceClient } from "../service/client.js";
import type { CheckResultData, OutcomeData, TestEventData, TestRunData } from "../service/policyProtocol.js";
import { checkItem, idOf, placeOf, remark, type TestPlace } from "./testItems.js";

export interface TestToRun {
  /** Of the test itself. */
  item: TestItem;
  name: string;
  file: Uri;
  text: string;
  /** Null: all. */
  machine: string | null;
  checks: readonly string[] | null;
  reportFolder: string;
}

/** An open repository, by the name that the views show. */
export interface TestSource {
  handle: OpenedRepository["handle"];
  name: string;
}

export class LiveTest {
  readonly #controller: TestController;
  readonly #run: TestRun;
  readonly #test: TestToRun;
  readonly #checked = new Set<TestItem>();
  readonly #told = new Set<string>();
  readonly #finished = new Set<string>();

  constructor(controller: TestController, run: TestRun, test: TestToRun) {
    this.#controller = controller;
    this.#run = run;
    this.#test = test;
  }

  /** A machine that could not be tested says why at its item. What kept all from being tested, and an abort, is thrown. */
  async make(client: ServiceClient, from: TestSource, token: CancellationToken): Promise<TestRunData> {
    const { name, file, text, machine, checks, reportFolder } = this.#test;
    const argument = {
      ...{ repository: from.handle, path: file.fsPath, text, test: name, machine, checks, reportFolder },
      toolFolder: toolFolder(),
    };
    const onEvent = (event: unknown) => this.#tell(event as TestEventData);
    this.#say(l10n.t("{0}, from {1}", name, from.name));
    const result = await withSignal(token, (signal) => client.call("runTest", argument, { signal, onEvent }));
    for (const each of result.machines) this.#endMachine(each);
    for (const { machine: untested, message, hint } of result.untested) {
      const why = hint === null ? message : `${message}: ${hint}`;
      this.#say(`${untested}: ${why}`);
      for (const item of this.#itemsOf(untested)) this.#run.errored(item, new TestMessage(why));
    }
    return result;
  }

  /** It was cancelled: what was seen of machines that had not finished proves nothing. */
  skipRest(): void {
    this.#say(l10n.t("Cancelled: what had not finished proves nothing."));
    const machines = [...this.#test.item.children].map(([, child]) => child);
    for (const item of machines) {
      const machine = placeOf(item)?.machine ?? "";
      if (this.#finished.has(machine)) continue;
      const shown = this.#test.machine === null || this.#test.machine === machine ? this.#itemsOf(machine) : [];
      for (const each of shown) skipWithChecks(this.#run, each);
    }
  }

  #tell(event: TestEventData): void {
    const item = this.#machineItem(event.machine);
    switch (event.event) {
      case "machine-started":
        for (const each of this.#itemsOf(event.machine)) this.#run.started(each);
        this.#say(l10n.t("{0}: snapshot of {1}, to the level {2}", event.machine, event.snapshot, event.level));
        break;
      case "phase":
        if (event.state === "finished")
          this.#say(`  ${event.phase}: ${durationText(event.durationMs ?? 0, env.language)}`);
        break;
      case "console":
        this.#say(event.line, item);
        break;
      case "check":
        this.#checkOnce(event.machine, event.result);
        break;
      case "machine-finished":
        this.#finished.add(event.machine);
        this.#say(`${event.machine}: ${event.outcome}: ${event.reason}`);
        if (item !== undefined && this.#test.checks === null) this.#judge(item, event);
    }
  }

  #checkOnce(machine: string, result: CheckResultData): void {
    const key = `${machine} ${result.id}`;
    if (this.#told.has(key)) return;
    this.#told.add(key);
    this.#check(machine, result);
  }

  #check(machine: string, result: CheckResultData): void {
    const { id, outcome, reason, observed, durationMs, severity } = result;
    const parent = this.#machineItem(machine);
    this.#say(`  ${SIGNS[outcome]} ${id}: ${reason ?? observed}`);
    if (parent === undefined) return;
    const item = checkItem(this.#controller, parent, id, result.type);
    // what is only of note changes nothing about the test
    const shown = outcome === "failed" && severity !== "fail" ? "warned" : outcome;
    remark(item, shown === "warned" ? `⚠ ${reason ?? observed}` : undefined);
    this.#checked.add(item);
    this.#report(item, shown, [this.#message(result, item)], durationMs);
  }

  #message({ reason, observed, expected, line }: CheckResultData, item: TestItem): TestMessage {
    const message = new TestMessage(reason ?? observed);
    message.expectedOutput = expected;
    message.actualOutput = observed;
    message.location = new Location(this.#test.file, new Position(line === null ? lineOf(item) : line - 1, 0));
    return message;
  }

  #endMachine({ machine, outcome, reason, durationMs, report, checks }: TestRunData["machines"][number]): void {
    const item = this.#machineItem(machine);
    // also those that are made of the whole, as the objectives are
    for (const check of checks) this.#checkOnce(machine, check);
    this.#say(l10n.t("Report: {0}", report));
    if (item === undefined) return;
    if (this.#test.checks !== null) {
      this.#endChecks(item, reason);
      return;
    }
    // with the time that it took; the reason stands there already
    if (this.#finished.has(machine)) this.#report(item, outcome, [], durationMs);
    else this.#judge(item, { outcome, reason, durationMs });
  }

  /** As soon as it has finished: a run that is cancelled after that does not take it back. */
  #judge(
    item: TestItem,
    { outcome, reason, durationMs }: { outcome: OutcomeData; reason: string; durationMs?: number },
  ): void {
    const message = new TestMessage(reason);
    message.location = new Location(this.#test.file, new Position(lineOf(item), 0));
    remark(item, outcome === "warned" ? `⚠ ${reason}` : undefined);
    this.#report(item, outcome, [message], durationMs);
  }

  /** Of a part of the checks: the machine as a whole is not judged. A check that was not reached says why. */
  #endChecks(machine: TestItem, reason: string): void {
    for (const check of this.#itemsOf(placeOf(machine)?.machine ?? ""))
      if (!this.#checked.has(check)) this.#run.errored(check, new TestMessage(reason));
  }

  /** The Test Explorer has no state for a warning: the test has passed, and its row says what to look at. */
  #report(item: TestItem, outcome: OutcomeData, messages: TestMessage[], durationMs: number | undefined): void {
    if (outcome === "failed") this.#run.failed(item, messages, durationMs);
    else if (outcome === "inconclusive") this.#run.errored(item, messages, durationMs);
    else if (outcome === "skipped") this.#run.skipped(item);
    else this.#run.passed(item, durationMs);
  }

  /** What is run of a machine: itself, or some of its checks. */
  #itemsOf(machine: string): TestItem[] {
    const item = this.#machineItem(machine);
    if (item === undefined) return [this.#test.item];
    const { checks } = this.#test;
    if (checks === null) return [item];
    return [...item.children].map(([, child]) => child).filter((child) => checks.includes(placeOf(child)?.check ?? ""));
  }

  #machineItem(machine: string): TestItem | undefined {
    const place = placeOf(this.#test.item);
    if (place === undefined) return undefined;
    const ofMachine: TestPlace = { ...place, machine };
    return this.#test.item.children.get(idOf(ofMachine));
  }

  #say(line: string, item?: TestItem): void {
    this.#run.appendOutput(`${line}\r\n`, undefined, item);
  }
}

const SIGNS: Record<OutcomeData, string> = { passed: "✓", warned: "!", failed: "✗", inconclusive: "?", skipped: "–" };

function lineOf({ range }: TestItem): number {
  return range?.start.line ?? 0;
}

/** A check that had held would make its machine look as if it had passed. */
export function skipWithChecks(run: TestRun, item: TestItem): void {
  run.skipped(item);
  for (const [, child] of item.children) {
    run.skipped(child);
    remark(child, undefined);
  }
  remark(item, undefined);
}

/** What kept a test from being made, at its line. */
export function obstacle(error: unknown, item: TestItem): TestMessage {
  const message = new TestMessage(errorText(error));
  message.location = new Location(item.uri ?? Uri.file("/"), new Position(lineOf(item), 0));
  return message;
}
