// The reason with which a signal aborts the work. Imports nothing: main.ts needs it before the rest of the program is loaded.

export type SignalName = "SIGINT" | "SIGTERM";

/** An AbortError for the core. */
export class Interruption extends Error {
  override readonly name = "AbortError";
  readonly signalName: SignalName;

  constructor(signalName: SignalName) {
    super(`ended by ${signalName}`);
    this.signalName = signalName;
  }
}
