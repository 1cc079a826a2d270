// A machine's serial console on this terminal: keys go to the machine, what it prints comes here. Where there is no
// terminal, its lines are printed as plain text.

import { ConsoleFilter, type SerialLog } from "../core/index.js";
import type { CliIo } from "./io.js";

export interface ConsoleOptions {
  /** Print nothing: standard output has another use. */
  isQuiet: boolean;
  /** Ctrl-] was typed. */
  onEscape(): void;
}

/** Ctrl-], as telnet and virsh have it. */
const ESCAPE_KEY = 0x1d;
/** A reader that does not read loses output, not we memory. */
const MAX_WAITING_BYTES = 4 * 1024 * 1024;

/** The function returned gives the terminal back as it was. */
export function attachConsole(serial: SerialLog, io: CliIo, { isQuiet, onEscape }: ConsoleOptions): () => void {
  const { stdin, stdout } = io;
  const print = (data: Uint8Array | string) => {
    if (stdout.writableLength < MAX_WAITING_BYTES) stdout.write(data);
  };
  const isTerminal = stdin.isTTY === true && stdout.isTTY === true && !isQuiet;
  if (!isTerminal) return isQuiet ? () => {} : serial.onLine(({ text }) => print(`${text}\n`));
  const filter = new ConsoleFilter();
  const endOutput = serial.onBytes((chunk) => print(filter.pass(chunk)));
  const onKeys = (keys: Uint8Array | string) => {
    const bytes = typeof keys === "string" ? new TextEncoder().encode(keys) : keys;
    const escapeAt = bytes.indexOf(ESCAPE_KEY);
    serial.write(escapeAt < 0 ? bytes : bytes.subarray(0, escapeAt));
    if (escapeAt >= 0) onEscape();
  };
  stdin.setRawMode?.(true);
  stdin.on("data", onKeys);
  stdin.resume();
  return () => {
    endOutput();
    stdin.off("data", onKeys);
    stdin.pause();
    stdin.setRawMode?.(false);
    // Colours and other modes that the machine has left behind.
    print("\u001b[0m\r\n");
  };
}
