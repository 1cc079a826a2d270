// What runs in this window until it is stopped: NBD servers and machines started from backups. In the status bar, and as a list with
// what can be done with each.

import {
  commands,
  type Disposable,
  env,
  l10n,
  type QuickPickItem,
  QuickPickItemKind,
  StatusBarAlignment,
  type StatusBarItem,
  type Terminal,
  window,
} from "vscode";
import { type NbdCommand, nbdCommands, vncCommands } from "../model/nbdCommands.js";
import { labelText } from "../model/shownName.js";
import type { BootData, NbdData } from "../service/actionsProtocol.js";

export type RunningThing =
  | { kind: "nbd"; served: NbdData; stop(): Promise<void> }
  | { kind: "machine"; booted: BootData; start: MachineStart; terminal: Terminal; stop(): Promise<void> };

/** Tells machines apart that were started from the same snapshot. */
export interface MachineStart {
  /** Of this window, from 1. */
  number: number;
  time: string;
}

type Choice = QuickPickItem & { run?: () => unknown };

export class RunningThings implements Disposable {
  readonly #things = new Set<RunningThing>();
  readonly #status: StatusBarItem;

  constructor() {
    this.#status = window.createStatusBarItem("reprise.running", StatusBarAlignment.Left, -10);
    this.#status.name = l10n.t("Reprise: What Runs From Backups");
    this.#status.command = "reprise.showRunning";
  }

  dispose(): void {
    this.#status.dispose();
  }

  of<K extends RunningThing["kind"]>(kind: K): Extract<RunningThing, { kind: K }>[] {
    return [...this.#things].filter((thing): thing is Extract<RunningThing, { kind: K }> => thing.kind === kind);
  }

  add(thing: RunningThing): void {
    this.#things.add(thing);
    this.#redraw();
  }

  remove(thing: RunningThing): void {
    if (this.#things.delete(thing)) this.#redraw();
  }

  clear(): void {
    this.#things.clear();
    this.#redraw();
  }

  /** One is picked, when there are several, and then what to do with it. */
  async show(): Promise<void> {
    const thing = await this.pick([...this.#things], l10n.t("What runs from backups"));
    if (thing !== undefined) await this.showActions(thing);
  }

  async showActions(thing: RunningThing): Promise<void> {
    const title = nameOf(thing);
    const placeHolder = l10n.t("Copy a command for a terminal of this computer, or stop it");
    const options = { title, placeHolder, matchOnDetail: true };
    const picked = await window.showQuickPick(
      thing.kind === "nbd" ? nbdChoices(thing) : machineChoices(thing),
      options,
    );
    await picked?.run?.();
  }

  /** The only one, or one that is picked; says when there is none. */
  async pick<T extends RunningThing>(things: readonly T[], title: string): Promise<T | undefined> {
    if (things.length === 0) return void window.showInformationMessage(l10n.t("Nothing runs from a backup."));
    if (things.length === 1) return things[0];
    const items = things.map((thing) => ({ label: labelText(nameOf(thing)), description: addressOf(thing), thing }));
    return (await window.showQuickPick(items, { title }))?.thing;
  }

  #redraw(): void {
    const [servers, machines] = [this.of("nbd"), this.of("machine")];
    const parts = [
      ...(machines.length > 0 ? [`$(vm-running) ${machines.length}`] : []),
      ...(servers.length > 0 ? [`$(plug) ${servers.length}`] : []),
    ];
    this.#status.text = parts.join("  ");
    this.#status.tooltip = [...this.#things].map(nameOf).join("\n");
    this.#status.accessibilityInformation = { label: [...this.#things].map(nameOf).join(", ") };
    if (parts.length > 0) this.#status.show();
    else this.#status.hide();
    void commands.executeCommand("setContext", "reprise.nbdRunning", servers.length > 0);
    void commands.executeCommand("setContext", "reprise.machineRunning", machines.length > 0);
  }
}

export async function copyWithWord(text: string): Promise<void> {
  await env.clipboard.writeText(text);
  window.setStatusBarMessage(l10n.t("$(check) Copied"), 3000);
}

function nameOf(thing: RunningThing): string {
  return thing.kind === "nbd"
    ? l10n.t("{0}, served by NBD", thing.served.machine)
    : l10n.t("{0} #{1}, started from its backup at {2}", thing.booted.machine, thing.start.number, thing.start.time);
}

function addressOf(thing: RunningThing): string {
  return thing.kind === "nbd" ? thing.served.disks.map(({ name }) => name).join(", ") : (thing.booted.vncSocket ?? "");
}

function nbdChoices({ served, stop }: Extract<RunningThing, { kind: "nbd" }>): Choice[] {
  const ofDisk = served.disks.flatMap((disk): Choice[] => [
    { label: disk.name, kind: QuickPickItemKind.Separator },
    copyChoice("$(copy)", l10n.t("Copy Address"), disk.uri),
    ...nbdCommands(disk).map((command) => copyChoice("$(terminal)", useText(command), command.line)),
  ]);
  return [...ofDisk, { label: "", kind: QuickPickItemKind.Separator }, stopChoice(l10n.t("Stop Serving"), stop)];
}

function machineChoices({ booted, terminal, stop }: Extract<RunningThing, { kind: "machine" }>): Choice[] {
  const socket = booted.vncSocket;
  const screen =
    socket === null
      ? []
      : [
          copyChoice("$(copy)", l10n.t("Copy Socket of Its Screen (VNC)"), socket),
          ...vncCommands(socket).map(({ program, line }) =>
            copyChoice("$(terminal)", l10n.t("Copy Command to See Its Screen ({0})", program), line),
          ),
        ];
  const console = { label: `$(terminal-bash) ${l10n.t("Show Console")}`, run: () => terminal.show() };
  return [console, ...screen, stopChoice(l10n.t("Stop Machine"), stop)];
}

function useText({ program, use }: NbdCommand): string {
  switch (use) {
    case "attach":
      return l10n.t("Copy Command to Attach as Block Device ({0})", program);
    case "convert":
      return l10n.t("Copy Command to Convert to qcow2 ({0})", program);
    case "copy":
      return l10n.t("Copy Command to Copy to a File ({0})", program);
    case "start":
      return l10n.t("Copy Command for a Writable Overlay ({0})", program);
    case "look":
      return l10n.t("Copy Command to Look at It ({0})", program);
  }
}

function copyChoice(icon: string, label: string, text: string): Choice {
  return { label: `${icon} ${label}`, detail: labelText(text), run: () => copyWithWord(text) };
}

function stopChoice(label: string, stop: () => Promise<void>): Choice {
  return { label: `$(debug-stop) ${label}`, run: stop };
}
