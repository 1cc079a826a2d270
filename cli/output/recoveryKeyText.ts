import { qrLines } from "./qrCode.js";
import { type Line, styled } from "./text.js";

/** Shown once, when a recovery key was made. `qrCode`: only where it will look like one. */
export function recoveryKeyLines(recoveryKey: string, { qrCode }: { qrCode: boolean }): Line[] {
  return [
    "",
    styled("bold", "Recovery key"),
    "",
    `  ${recoveryKey}`,
    "",
    ...(qrCode ? [...qrLines(recoveryKey), ""] : []),
    "It is shown this one time. Write it down or print it, and keep it apart from the passphrase.",
    "Whoever has it can open the repository; without it and without a passphrase nobody can.",
    "",
  ];
}
