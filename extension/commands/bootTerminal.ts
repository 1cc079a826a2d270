// The serial console of a machine that was started from a snapshot, as a terminal. Closing it ends the machine.

import { EventEmitter, type LogOutputChannel, l10n, type Pseudoterminal } from "vscode";
import { isAbort } from "../adapt/cancellation.js";
import { errorText, logText } from "../adapt/errors.js";
import { vncCommands } from "../model/nbdCommands.js";
import type { BootData } from "../service/actionsProtocol.js";
import type { ServiceClient } from "../service/client.js";

export class BootTerminal implements Pseudoterminal {
  readonly #client: ServiceClient;
  readonly #booted: BootData;
  readonly #log: LogOutputChannel;
  readonly #onEnd: () => void;
  readonly #written = new EventEmitter<string>();
  readonly #closed = new EventEmitter<number>();
  readonly onDidWrite = this.#written.event;
  readonly onDidClose = this.#closed.event;
  readonly #ended = new AbortController();

  /** `onEnd`: the machine does not run any more, however it ended; called once. */
  constructor(client: ServiceClient, booted: BootData, log: LogOutputChannel, onEnd: () => void) {
    this.#client = client;
    this.#booted = booted;
    this.#log = log;
    this.#onEnd = onEnd;
  }

  open(): void {
    const { hardware, accelerator, notes, vncSocket } = this.#booted;
    const lines = [`${hardware} (${accelerator})`, ...notes];
    if (vncSocket !== null) {
      lines.push(l10n.t("Its screen is on the unix socket {0}: open it with a VNC viewer.", vncSocket));
      lines.push(...vncCommands(vncSocket).map(({ line }) => `  ${line}`));
    }
    lines.push(l10n.t("Nothing it writes is kept. Closing this terminal ends it."));
    for (const line of lines) this.#written.fire(faint(line));
    void this.#follow();
  }

  /** By the user, by the window that closes, or because the command stops the machine. */
  close(): void {
    this.#ended.abort();
    this.#client
      .call("stopBoot", { boot: this.#booted.boot })
      .catch((error: unknown) => this.#log.error(logText(error)))
      .finally(() => this.#end());
  }

  handleInput(text: string): void {
    const { boot } = this.#booted;
    if (this.#ended.signal.aborted) return;
    this.#client.call("bootInput", { boot, text }).catch((error: unknown) => this.#log.warn(logText(error)));
  }

  async #follow(): Promise<void> {
    const { boot } = this.#booted;
    const decoder = new TextDecoder();
    const { signal } = this.#ended;
    try {
      for (;;) {
        const { bytes, end } = await this.#client.call("bootOutput", { boot }, { signal });
        this.#written.fire(decoder.decode(bytes, { stream: true }));
        if (end === null) continue;
        for (const error of end.readErrors) this.#log.error(error);
        this.#written.fire(`\r\n${faint(end.description)}`);
        await this.#client.call("stopBoot", { boot });
        break;
      }
    } catch (error) {
      if (isAbort(error)) return;
      this.#written.fire(`\r\n${faint(errorText(error))}`);
    }
    this.#end();
  }

  #end(): void {
    this.#ended.abort();
    this.#onEnd();
  }
}

/** What we say, apart from what the machine says. */
function faint(line: string): string {
  return `\u001b[2m${line}\u001b[0m\r\n`;
}
